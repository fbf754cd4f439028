/* A button with data-passkey asks the browser for a passkey and sends its answer with the form. */

const decode = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));

const encode = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");

const known = (list) => list?.map((each) => ({ ...each, id: decode(each.id) }));

async function made({ publicKey }) {
  const credential = await navigator.credentials.create({
    publicKey: {
      ...publicKey,
      challenge: decode(publicKey.challenge),
      user: { ...publicKey.user, id: decode(publicKey.user.id) },
      excludeCredentials: known(publicKey.excludeCredentials),
    },
  });
  const { clientDataJSON, attestationObject } = credential.response;
  return [credential, { clientDataJSON: encode(clientDataJSON), attestationObject: encode(attestationObject) }];
}

async function asked({ publicKey }) {
  const credential = await navigator.credentials.get({
    publicKey: { ...publicKey, challenge: decode(publicKey.challenge), allowCredentials: known(publicKey.allowCredentials) },
  });
  const { clientDataJSON, authenticatorData, signature, userHandle } = credential.response;
  const response = {
    clientDataJSON: encode(clientDataJSON),
    authenticatorData: encode(authenticatorData),
    signature: encode(signature),
  };
  if (userHandle) response.userHandle = encode(userHandle);
  return [credential, response];
}

async function pressed(button) {
  const { form } = button;
  const holder = button.closest("[data-passkey-options]");
  const problem = form.querySelector("[data-passkey-problem]");
  problem.hidden = true;
  try {
    const options = JSON.parse(holder.dataset.passkeyOptions);
    const [credential, response] = await (button.dataset.passkey === "create" ? made : asked)(options);
    const answer = holder.querySelector("[data-passkey-answer]");
    answer.disabled = false;
    answer.value = JSON.stringify({
      id: credential.id,
      rawId: encode(credential.rawId),
      type: credential.type,
      response,
      clientExtensionResults: credential.getClientExtensionResults(),
    });
    /* The field for a code stays empty, and would hold the form back. */
    form.noValidate = true;
    for (const code of form.querySelectorAll("[autocomplete=one-time-code]")) code.disabled = true;
    form.requestSubmit();
  } catch {
    /* Whoever breaks it off, or has no passkey here, tries again or takes another way. */
    problem.hidden = false;
  }
}

export function listenForPasskeys() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-passkey]");
    if (button) pressed(button);
  });
}
