"""The settings of a running Hufu CRM; all of them come from the environment or have a sensible default.

| variable            | meaning                                                                        |
|---------------------|--------------------------------------------------------------------------------|
| HUFU_VAR            | the folder of data, secrets and logs (default: `var` in the current directory)   |
| HUFU_SECRETS        | the folder of secrets alone (default: `secrets` in HUFU_VAR)                     |
| HUFU_ATTACHMENTS    | the folder of files of records, sealed (default: `attachments` in HUFU_VAR)      |
| DATABASE_URL        | the application's role on a PostgreSQL 15 or newer; without it the embedded one |
| HUFU_ORIGIN         | the address people use, such as https://crm.example.com                         |
| HUFU_ALLOWED_HOSTS  | further host names that the site answers to, separated by commas                 |
| HUFU_TRUSTED_PROXIES | addresses or networks of one's own reverse proxies, separated by commas (default: none) |
| HUFU_DEMO           | 1 in demo mode: signing in as a demo person is one click                         |
| HUFU_SECOND_FACTOR  | `required_for_administrators` (default outside demo mode) or `optional`          |
| HUFU_PASSWORD_PROFILE | which rules passwords keep: `asvs` (default) or `mlps3` (等保 level 3)           |
| HUFU_SESSION_IDLE_MINUTES | a session ends after so many minutes without a request (default 60; 1 to 1440)  |
| HUFU_SESSION_HOURS  | a session ends after so many hours, however busy it is (default 12; 1 to 168)    |
| HUFU_TRUSTED_DEVICE_DAYS | a browser that its person trusts stays so for so many days (default 30; 1 to 365) |
| HUFU_SSO_FILE       | the file of identity providers for single sign-on (docs/single-sign-on.md)       |
| HUFU_LOG_FORMAT     | `text` (default) or `json`                                                       |
| HUFU_LOG_LEVEL      | DEBUG, INFO (default), WARNING, ERROR                                            |
| HUFU_ACCESS_LOG     | `on` (default outside demo mode) or `off`: one line of every request             |
| HUFU_METRICS_NETWORKS | who may read /metrics besides this machine: addresses or networks (default: nobody) |
| HUFU_RETENTION_CONTACTS, …_CUSTOMERS, …_BIN | after how many days rules propose what should go (0: never) |
| HUFU_LIMIT_SEARCH, …_LISTS, …_FILES, …_SENSITIVE | how often a minute one person may (0: as often as they like) |
"""

import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from hufu.config.logs import JSON, LEVELS, TEXT, logging_of
from hufu.core import variables
from hufu.core.postgres.secret_files import SECRET_KEY as SECRET_KEY_FILE
from hufu.core.postgres.urls import django_settings

PACKAGE = Path(__file__).resolve().parent.parent

HUFU_VAR = variables.folder("HUFU_VAR", Path("var")).absolute()
HUFU_SECRETS = variables.folder("HUFU_SECRETS", HUFU_VAR / "secrets")
HUFU_ATTACHMENTS = variables.folder("HUFU_ATTACHMENTS", HUFU_VAR / "attachments")
HUFU_DEMO = variables.one_of("HUFU_DEMO", ("0", "1")) == "1"
HUFU_ORIGIN = variables.origin("HUFU_ORIGIN", default="http://localhost:8000")
HUFU_SSO_FILE = os.environ.get("HUFU_SSO_FILE", "")
HTTPS = urlsplit(HUFU_ORIGIN).scheme == "https"


def _secret_key() -> str:
    # Every command that serves or migrates makes the file first; what only reads code (checks, type checking)
    # gets along with a key that nobody else has.
    path = HUFU_SECRETS / SECRET_KEY_FILE
    return path.read_bytes().hex() if path.exists() else secrets.token_hex(32)


# Whose word about the client (X-Forwarded-For, X-Forwarded-Proto) counts; nobody's unless named.
TRUSTED_PROXIES = variables.networks("HUFU_TRUSTED_PROXIES")
METRICS_NETWORKS = variables.networks("HUFU_METRICS_NETWORKS")

# After how many days the rules of hufu/crm/retention.py propose something; 0 for never.
RETENTION = {
    kind: variables.number(f"HUFU_RETENTION_{kind.upper()}", default=default, least=0, most=36_500)
    for kind, default in {"contacts": 365, "customers": 1096, "bin": 90}.items()
}

# Read by the process that makes backups; looked at here so that nothing starts with a wrong one.
variables.time_of_day("HUFU_BACKUP_AT")
variables.periods("HUFU_BACKUP_KEEP", default=variables.KEPT)
variables.programs("HUFU_PG_BIN", ("pg_dump", "pg_restore"))

# How often a minute one person may open pages of a kind (hufu/web/limits.py).
LIMITS = {
    kind: variables.number(f"HUFU_LIMIT_{kind.upper()}", default=default, least=0, most=100_000)
    for kind, default in {"search": 240, "lists": 120, "files": 60, "sensitive": 30}.items()
}

# Files of records. What is sent is held in memory, whole: it never lies readable on the disk.
LARGEST_ATTACHMENT = 25 * 1024 * 1024
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = LARGEST_ATTACHMENT + 64 * 1024

DEBUG = False
SECRET_KEY = _secret_key()
ROOT_URLCONF = "hufu.config.urls"
CSRF_FAILURE_VIEW = "hufu.web.errors.csrf_failure"
WSGI_APPLICATION = "hufu.config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

ALLOWED_HOSTS = [
    host
    for host in (
        urlsplit(HUFU_ORIGIN).hostname,
        *variables.hosts("HUFU_ALLOWED_HOSTS"),
        "localhost",
        "127.0.0.1",
        "[::1]",
    )
    if host
]
CSRF_TRUSTED_ORIGINS = [HUFU_ORIGIN]

# In the order of their layers, lowest first: this is also the order in which their SQL is installed.
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "django_htmx",
    "csp",
    "hufu.audit",
    "hufu.people",
    "hufu.access",
    "hufu.crm",
    "hufu.web",
    "hufu.config",
]

MIDDLEWARE = [
    "hufu.web.client.ProxyMiddleware",
    "hufu.web.headers.HeadersMiddleware",
    "hufu.web.observation.ObservationMiddleware",
    "hufu.web.metrics.middleware.MetricsMiddleware",
    "hufu.web.health.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "hufu.web.middleware.ActingMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PACKAGE / "web" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "hufu.web.context.shell",
            ],
        },
    }
]

# Database. `autonomous` is a second connection that commits by itself: what it writes (counters of failed sign-ins,
# the cache) stays even when the request is rolled back.
_UNREACHABLE = "postgresql://hufu_app@127.0.0.1/hufu"
DATABASES = {
    alias: django_settings(os.environ.get("DATABASE_URL") or _UNREACHABLE)
    for alias in ("default", "autonomous")
}
DATABASE_ROUTERS = ["hufu.config.routers.CacheRouter"]
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "hufu_cache",
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    }
}

# People and sessions.
AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = ["hufu.web.accounts.backend.PasswordBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
_GUESSABLE = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
_LENGTH = "django.contrib.auth.password_validation.MinimumLengthValidator"
# What each profile asks of a password (hufu/people/passwords.py). Both refuse what everybody guesses first.
PASSWORD_PROFILES = {
    "asvs": [*_GUESSABLE, {"NAME": _LENGTH, "OPTIONS": {"min_length": 12}}],
    "mlps3": [
        *_GUESSABLE,
        {"NAME": _LENGTH, "OPTIONS": {"min_length": 8}},
        {"NAME": "hufu.people.passwords.CharacterKindsValidator", "OPTIONS": {"least": 3}},
        {"NAME": "hufu.people.passwords.FormerPasswordsValidator"},
    ],
}
HUFU_PASSWORD_PROFILE = variables.one_of("HUFU_PASSWORD_PROFILE", tuple(PASSWORD_PROFILES))
AUTH_PASSWORD_VALIDATORS = PASSWORD_PROFILES[HUFU_PASSWORD_PROFILE]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*"]
ACCOUNT_ADAPTER = "hufu.web.accounts.adapter.AccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "hufu.people.links.LinkTokens"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_SESSION_REMEMBER = False
SECOND_FACTOR_REQUIRED = "required_for_administrators"
HUFU_SECOND_FACTOR = variables.one_of(
    "HUFU_SECOND_FACTOR",
    (SECOND_FACTOR_REQUIRED, "optional"),
    default="optional" if HUFU_DEMO else SECOND_FACTOR_REQUIRED,
)
MFA_ADAPTER = "hufu.web.second_factor.adapter.SecondFactorAdapter"
MFA_FORMS = {
    "add_webauthn": "hufu.web.second_factor.forms.NewPasskeyForm",
    "authenticate_webauthn": "hufu.web.second_factor.forms.PasskeyForm",
    "edit_webauthn": "hufu.web.second_factor.forms.RenamePasskeyForm",
    "activate_totp": "hufu.web.second_factor.forms.AppForm",
    "authenticate": "hufu.web.second_factor.forms.CodeForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
# Passkeys need https, except where everything stays on this machine.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = urlsplit(HUFU_ORIGIN).hostname == "localhost" and not HTTPS
MFA_TOTP_ISSUER = "Hufu CRM"
# Clocks of telephones are wrong by some seconds: the codes before and after are right too.
MFA_TOTP_TOLERANCE = 1
MFA_RECOVERY_CODES_SHOW_ONCE = True
# Nobody types their own mail address here.
MFA_ALLOW_UNVERIFIED_EMAIL = True
SESSION_COOKIE_NAME = "__Host-hufu" if HTTPS else "hufu"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
# A message belongs to the session it was made in: it waits for nobody else who signs in at the same browser.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
# Both limits are kept by the register of sessions, at every request (hufu/web/accounts/register.py).
HUFU_SESSION_IDLE_MINUTES = variables.number("HUFU_SESSION_IDLE_MINUTES", default=60, least=1, most=24 * 60)
HUFU_SESSION_HOURS = variables.number("HUFU_SESSION_HOURS", default=12, least=1, most=7 * 24)
SESSION_COOKIE_AGE = HUFU_SESSION_HOURS * 60 * 60
# By this cookie a browser is known again when somebody signs in (hufu/web/accounts/device_cookie.py).
DEVICE_COOKIE_NAME = "__Host-hufu-device" if HTTPS else "hufu-device"
HUFU_TRUSTED_DEVICE_DAYS = variables.number("HUFU_TRUSTED_DEVICE_DAYS", default=30, least=1, most=365)
CSRF_COOKIE_NAME = "__Host-hufu-csrf" if HTTPS else "hufu-csrf"
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = HTTPS
LANGUAGE_COOKIE_SAMESITE = "Lax"

# What the browser may do with our pages.
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if HTTPS else 0
# Written by hufu.web.client.ProxyMiddleware for trusted proxies alone; the header itself is never believed.
SECURE_PROXY_SSL_HEADER = ("hufu.scheme", "https") if HTTPS else None
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

# Languages and time.
variables.language("HUFU_LANGUAGE")
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LOCALE_PATHS = [PACKAGE / "locale"]
FORMAT_MODULE_PATH = "hufu.web.formats"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"

# Static files are served from where they were built; there is no collecting step.
STATIC_URL = "/static/"
STATICFILES_DIRS = [PACKAGE / "web" / "static"]
STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
WHITENOISE_USE_FINDERS = True

LOGGING = logging_of(
    variables.one_of("HUFU_LOG_FORMAT", (TEXT, JSON)), variables.one_of("HUFU_LOG_LEVEL", LEVELS)
)
# One line of every request; in demo mode only where it is asked for.
ACCESS_LOG = variables.one_of("HUFU_ACCESS_LOG", ("on", "off"), default="off" if HUFU_DEMO else "on") == "on"
