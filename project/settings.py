"""Every setting of Wellread, read from the environment. docs/settings.md explains each one.

Nothing secret stands here, and nothing secret has a default: `make run` makes its own keys
under var/, production brings its own.
"""

from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONCE, NONE, SELF

from project.env import Env
from project.keys import parse_keys
from project.queues import ROUTES, TRANSPORT_OPTIONS
from project.ticks import TICKS

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env()

# --- Who and where we are ---------------------------------------------------------------

DEBUG = env.flag("DEBUG", default=False)
EMBEDDED = env.flag("EMBEDDED", default=False)  # set by `make run`: local mailbox, no https
SECRET_KEY = env.secret("SECRET_KEY")
BASE_URL = env.origin("BASE_URL", default="http://127.0.0.1:8000")
_HOST = urlsplit(BASE_URL).hostname or "localhost"
_HTTPS = BASE_URL.startswith("https://")
# This machine may always ask, for health checks.
ALLOWED_HOSTS = [*env.words("ALLOWED_HOSTS", default=[_HOST]), "localhost", "127.0.0.1"]
CSRF_TRUSTED_ORIGINS = [BASE_URL]
# How many proxies of our own stand in front and add to X-Forwarded-For (signup.guard).
TRUSTED_PROXIES = env.whole("TRUSTED_PROXIES", default=0)
VAR_DIR = Path(env.text("VAR_DIR", default=str(BASE_DIR / "var")))

# Keys that outlive SECRET_KEY, newest first: "2:hex,1:hex". Old ones keep verifying.
TOKEN_KEYS = parse_keys("TOKEN_KEYS", env.secret("TOKEN_KEYS"))
LEDGER_KEYS = parse_keys("LEDGER_KEYS", env.secret("LEDGER_KEYS"))
SUPPRESSION_KEYS = parse_keys("SUPPRESSION_KEYS", env.secret("SUPPRESSION_KEYS"))
# Seal the secrets of the staff's second factors; `seal_factors` moves them to the first.
FACTOR_KEYS = parse_keys("FACTOR_KEYS", env.secret("FACTOR_KEYS"))

# The ledger's nightly seals; best on storage that the database's staff cannot write.
LEDGER_SEAL_DIR = Path(env.text("LEDGER_SEAL_DIR", default=str(VAR_DIR / "seals")))
# Days until consent ends by itself, who left is forgotten, the ledger's lines go; 0: never.
CONSENT_EXPIRES_AFTER_DAYS = env.whole("CONSENT_EXPIRES_AFTER_DAYS", default=730)
LEFT_READERS_KEEP_DAYS = env.whole("LEFT_READERS_KEEP_DAYS", default=365)
LEDGER_KEEP_DAYS = env.whole("LEDGER_KEEP_DAYS", default=1826)

# --- Parts -----------------------------------------------------------------------------

INSTALLED_APPS = [
    "project",
    "newsletter",
    "newsletter.desk",
    "newsletter.archive",
    "newsletter.outcomes",
    "newsletter.sending",
    "newsletter.approval",
    "newsletter.rendering",
    "newsletter.editions",
    "newsletter.audience",
    "signup",
    "newsletter.transports",
    "newsletter.catalogue",
    "wagtail.contrib.settings",
    "wagtail.snippets",
    "wagtail.images",
    # Not used, but wagtail.admin asks for its address on every page.
    "wagtail.documents",
    "wagtail.users",
    "wagtail.sites",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
    "modelsearch",
    "taggit",
    "anymail",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "project.headers.PublicPages",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "newsletter.archive.languages.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "newsletter.desk.security.middleware.SecondFactor",
    "django.contrib.messages.middleware.MessageMiddleware",
    "newsletter.desk.security.fence.Fence",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"
AUTH_USER_MODEL = "desk.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "wagtail.contrib.settings.context_processors.settings",
                "newsletter.archive.context.publisher",
            ],
        },
    }
]

# --- Stores ----------------------------------------------------------------------------

DATABASES = {
    "default": env.database(
        "DATABASE_URL", default=f"sqlite:///{(VAR_DIR / 'wellread.sqlite3').absolute().as_posix()}"
    )
}
_DATABASE = DATABASES["default"]
if _DATABASE["ENGINE"] == "django.db.backends.sqlite3":
    _DATABASE["OPTIONS"] = {
        # Writers queue at BEGIN instead of failing half-way through a transaction.
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
            "PRAGMA cache_size=-32768; PRAGMA temp_store=MEMORY;"
            # What is deleted is overwritten: an erased reader is not found in the file either.
            "PRAGMA secure_delete=ON;"
        ),
    }
else:
    _DATABASE["CONN_MAX_AGE"] = env.whole("DATABASE_CONN_MAX_AGE", default=60)
    _DATABASE["CONN_HEALTH_CHECKS"] = True
    # Safe behind a transaction pooler: nothing is prepared, no cursor stays on the server.
    _DATABASE["DISABLE_SERVER_SIDE_CURSORS"] = True
    _DATABASE.setdefault("OPTIONS", {})["prepare_threshold"] = None

REDIS_URL = env.broker("REDIS_URL", default="redis://127.0.0.1:6379/0")
REDIS_URL_GIVEN = env.given("REDIS_URL")  # for the checks: production names its own
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        # django-redis' URL for a socket is unix://, kombu's is redis+socket://
        "LOCATION": REDIS_URL.replace("redis+socket://", "unix://"),
        "KEY_PREFIX": "wellread",
        # A page waits no longer for what it can do without.
        "OPTIONS": {"socket_timeout": 1.0, "socket_connect_timeout": 1.0},
    },
    # Which sizes of a picture exist. Kept in the process, so that composing and approving do not
    # hang on Redis.
    "renditions": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
}

# --- Work queue --------------------------------------------------------------------------

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://")
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 300
CELERY_TASK_ALWAYS_EAGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = TRANSPORT_OPTIONS
CELERY_TASK_DEFAULT_QUEUE = "control"
CELERY_TASK_ROUTES = ROUTES
CELERY_TIMEZONE = "UTC"
# Remembers nothing between starts: what is due stands in rows, so a tick needs no history.
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_BEAT_SCHEDULE = TICKS

# --- Mail --------------------------------------------------------------------------------

EMAIL_URL = env.text("EMAIL_URL", default="smtp://127.0.0.1:2525")
EMAIL_URL_GIVEN = env.given("EMAIL_URL")
ESP = env.text("ESP", default="")
# The ESP with which an agreement on health data exists; without one no digest leaves by it.
ESP_HEALTH_AGREEMENT = env.text("ESP_HEALTH_AGREEMENT", default="")
# The ESP in whose account measuring was switched off, where no call can do that.
ESP_TRACKING_OFF = env.text("ESP_TRACKING_OFF", default="")
# In the DNS. Not while mail only goes to the local mailbox: a trial's domain exists nowhere.
PROVE_SENDER_DOMAINS = env.flag("PROVE_SENDER_DOMAINS", default=EMAIL_URL_GIVEN or bool(ESP))
# Where bounces of mailings go, each to an address of its own, and the mailbox they are read from.
BOUNCE_DOMAIN = env.text("BOUNCE_DOMAIN", default="").lower().rstrip(".")
BOUNCE_MAILBOX = env.text("BOUNCE_MAILBOX", default="")
# Keys of the ESP as django-anymail names them: ANYMAIL_MAILGUN_API_KEY and the like.
ANYMAIL = env.starting_with("ANYMAIL_")
# Names of the DKIM keys that the relay signs with: only by name can a key be looked up.
DKIM_SELECTORS = env.words("DKIM_SELECTORS", default=[])
SERVER_EMAIL = DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", default="hello@wellread.example")
# What Django itself mails, a new password for staff, takes the same way out.
EMAIL_BACKEND = "newsletter.transports.django_mail.EmailBackend"

# --- Digests -----------------------------------------------------------------------------

# A condition whose followers have had nothing new for so many days is silent.
DIGEST_SILENT_DAYS = env.whole("DIGEST_SILENT_DAYS", default=90)
# How long a watched digest may be late before staff are told.
DIGEST_LATE_MINUTES = env.whole("DIGEST_LATE_MINUTES", default=30)

# --- Sending -----------------------------------------------------------------------------

# Messages a second over all workers; 0 leaves it to the relay.
SENDING_RATE = env.number("SENDING_RATE", default=0.0)
# How long “Send now” waits before it begins, so that it can be undone; 0 begins at once.
SENDING_UNDO_SECONDS = env.number("SENDING_UNDO_SECONDS", default=60.0)
# How long a worker that shows no sign of life keeps its batch.
SENDING_LEASE_SECONDS = env.number("SENDING_LEASE_SECONDS", default=120.0)
# Where workers keep their journals: on this host's own disk, not on one that hosts share.
SENDING_JOURNAL_DIR = Path(env.text("SENDING_JOURNAL_DIR", default=str(VAR_DIR / "journal")))
# How long after an unknown outcome the message is sent once more (docs/sending.md).
SENDING_UNKNOWN_AFTER_SECONDS = env.number("SENDING_UNKNOWN_AFTER_SECONDS", default=900.0)
# The first wait after a temporary refusal; each further one is twice as long, up to half a day.
SENDING_RETRY_SECONDS = env.number("SENDING_RETRY_SECONDS", default=1800.0)
SENDING_GIVE_UP_DAYS = env.number("SENDING_GIVE_UP_DAYS", default=4.0)
# After so long without progress staff are told, by mail and at this URL (docs/reliability.md).
SENDING_STALLED_MINUTES = env.number("SENDING_STALLED_MINUTES", default=10.0)
ALERT_WEBHOOK_URL = env.text("ALERT_WEBHOOK_URL", default="")
# How long to leave a relay alone that cannot be reached.
SENDING_LINE_PAUSE_SECONDS = env.number("SENDING_LINE_PAUSE_SECONDS", default=30.0)

# --- Sign-up -----------------------------------------------------------------------------

# The guard's limits (docs/privacy.md): in an hour, for an address in a day.
SIGN_UPS_PER_NETWORK = env.whole("SIGN_UPS_PER_NETWORK", default=60)
SIGN_UPS_PER_ADDRESS = env.whole("SIGN_UPS_PER_ADDRESS", default=6)
SIGN_UPS_PER_DOMAIN = env.whole("SIGN_UPS_PER_DOMAIN", default=3_000)
SIGN_UPS_PER_HOUR = env.whole("SIGN_UPS_PER_HOUR", default=20_000)
# Of these, how many without proof of work: browsers without JavaScript, forms on other sites.
SIGN_UPS_UNPROVED_PER_NETWORK = env.whole("SIGN_UPS_UNPROVED_PER_NETWORK", default=20)
SIGN_UPS_UNPROVED_PER_HOUR = env.whole("SIGN_UPS_UNPROVED_PER_HOUR", default=2_000)
# What begins attack mode, and how long it lasts after the last sign of an attack.
SIGN_UP_ALARM_PER_MINUTE = env.whole("SIGN_UP_ALARM_PER_MINUTE", default=300)
SIGN_UP_ALARM_SUSPICIOUS = env.whole("SIGN_UP_ALARM_SUSPICIOUS", default=100)
SIGN_UP_ALARM_MINUTES = env.whole("SIGN_UP_ALARM_MINUTES", default=15)
# The demo's addresses are at example.org, which by its own word takes no mail.
SIGN_UP_LOOKS_UP_DOMAINS = env.flag("SIGN_UP_LOOKS_UP_DOMAINS", default=not EMBEDDED)

# --- Languages and time --------------------------------------------------------------------

# What is translated (locale/). A visitor is offered those whose consent wording is approved.
LANGUAGES = [("en", "English"), ("es", "Español")]
LANGUAGE_CODE = env.word("LANGUAGE_CODE", default="en", choices=[code for code, _ in LANGUAGES])
LOCALE_PATHS = [BASE_DIR / "locale"]
WAGTAIL_CONTENT_LANGUAGES = LANGUAGES
WAGTAILADMIN_PERMITTED_LANGUAGES = [("en", "English")]  # the desk is not translated
TIME_ZONE = env.zone("TIME_ZONE", default="UTC")
USE_TZ = True
USE_I18N = True

# --- Files ---------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.text("STATIC_ROOT", default=str(VAR_DIR / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_URL = "/media/"
MEDIA_ROOT = VAR_DIR / "media"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or EMBEDDED
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
# `make run` serves static files from where they lie; production collects them in the image.
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG or EMBEDDED

# --- Security --------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    # Wagtail's admin brings inline scripts and styles of its own; it has its own policy.
    "EXCLUDE_URL_PREFIXES": ["/admin/"],
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-src": [SELF],
        "frame-ancestors": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
    },
}
# For /admin/ only; public pages send no-referrer, and project/headers.py says why not both.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "SAMEORIGIN"
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _HTTPS
if _HTTPS:
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", default=True)
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = env.flag("SECURE_HSTS_PRELOAD", default=False)
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SILENCED_SYSTEM_CHECKS = [
    "security.W019",  # previews and the sample mail stand in frames of this very site
    "security.W021",  # preloading is the domain's owner's decision (SECURE_HSTS_PRELOAD)
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "wagtailadmin_login"
# "required": nobody gets to the desk without an authenticator app. "optional": it protects those
# who set it up; for `make run`, whose printed log-ins must work.
STAFF_SECOND_FACTOR = env.word(
    "STAFF_SECOND_FACTOR",
    default="optional" if EMBEDDED or DEBUG else "required",
    choices=["required", "optional"],
)
OTP_TOTP_ISSUER = "Wellread"
# Half a day for who asked to be remembered; otherwise until the browser closes.
SESSION_COOKIE_AGE = 12 * 60 * 60
PASSWORD_RESET_TIMEOUT = 60 * 60

# --- Wagtail -----------------------------------------------------------------------------------

WAGTAIL_SITE_NAME = "Wellread"
WAGTAILADMIN_BASE_URL = BASE_URL
WAGTAIL_FINISH_WORKFLOW_ACTION = "newsletter.desk.finishing.publish"
WAGTAIL_GRAVATAR_PROVIDER_URL = None
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAIL_ENABLE_WHATS_NEW_BANNER = False
WAGTAILIMAGES_EXTENSIONS = ["gif", "jpg", "jpeg", "png", "webp"]
WAGTAILIMAGES_MAX_UPLOAD_SIZE = 20 * 1024 * 1024
WAGTAILSEARCH_BACKENDS = {"default": {"BACKEND": "modelsearch.backends.database"}}
WAGTAIL_MODERATION_ENABLED = True

# --- Log and figures ---------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": "project.logs.MaskingFormatter",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {
        "handlers": ["console"],
        "level": env.word(
            "LOG_LEVEL",
            default="WARNING" if EMBEDDED else "INFO",
            choices=["DEBUG", "INFO", "WARNING", "ERROR"],
        ),
    },
    "loggers": {
        # Django's own handlers would print a second, unmasked line.
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        # A line for every tick of the clock says nothing.
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
        "celery.utils.functional": {"level": "WARNING"},
        # A line for every HEAD request whose answer has a body, which it then leaves out.
        "gunicorn.http.wsgi": {"level": "ERROR"},
    },
}
# Who may read /metrics; without one only this machine may.
METRICS_TOKEN = env.text("METRICS_TOKEN", default="")
