/* Theme, language and the shape of lists are kept in the browser; the server reads the cookies. */

const YEAR = 60 * 60 * 24 * 365;

export function remember(name, value, seconds = YEAR) {
  const secure = location.protocol === "https:" ? ";secure" : "";
  document.cookie = `${name}=${value};path=/;max-age=${seconds};samesite=lax${secure}`;
}

export function setTheme(theme) {
  remember("hufu_theme", theme);
  const root = document.documentElement;
  if (theme === "auto") root.removeAttribute("data-bs-theme");
  else root.setAttribute("data-bs-theme", theme);
  for (const button of document.querySelectorAll("[data-theme-choice]")) {
    button.setAttribute("aria-pressed", String(button.dataset.value === theme));
  }
}

export function setLanguage(language) {
  remember("django_language", language);
  location.reload();
}
