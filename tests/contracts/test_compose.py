"""docker-compose.yml and Dockerfile: everything production needs, and no secret in them."""

import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.running.processes import ROOT

pytestmark = pytest.mark.once

TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {"web", "worker-prompt", "worker-control", "worker-bulk", "beat", "migrate"}
SECRETS = {
    "SECRET_KEY",
    "TOKEN_KEYS",
    "LEDGER_KEYS",
    "SUPPRESSION_KEYS",
    "FACTOR_KEYS",
    "POSTGRES_PASSWORD",
}

# What we use of the Compose specification, and nothing else.
SCHEMA = {
    "type": "object",
    "required": ["services", "volumes"],
    "additionalProperties": False,
    "patternProperties": {"^x-": {}},
    "properties": {
        "volumes": {"type": "object", "additionalProperties": {"type": ["null", "object"]}},
        "services": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["image"],
                "additionalProperties": False,
                "properties": {
                    "build": {"type": ["string", "object"]},
                    "image": {"type": "string"},
                    "command": {"type": ["string", "array"]},
                    "restart": {"enum": ["no", "always", "on-failure", "unless-stopped"]},
                    "init": {"type": "boolean"},
                    "read_only": {"type": "boolean"},
                    "tmpfs": {"type": "array", "items": {"type": "string"}},
                    "security_opt": {"type": "array", "items": {"type": "string"}},
                    "cap_drop": {"type": "array", "items": {"type": "string"}},
                    "shm_size": {"type": "string"},
                    "stop_grace_period": {"type": "string", "pattern": r"^\d+s$"},
                    "environment": {
                        "type": "object",
                        "additionalProperties": {"type": "string"},
                    },
                    "env_file": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["path"],
                            "properties": {
                                "path": {"type": "string"},
                                "required": {"type": "boolean"},
                            },
                            "additionalProperties": False,
                        },
                    },
                    "volumes": {"type": "array", "items": {"type": "string", "pattern": ":"}},
                    "ports": {"type": "array", "items": {"type": "string"}},
                    "depends_on": {
                        "type": "object",
                        "additionalProperties": {
                            "type": "object",
                            "required": ["condition"],
                            "additionalProperties": False,
                            "properties": {
                                "condition": {
                                    "enum": [
                                        "service_started",
                                        "service_healthy",
                                        "service_completed_successfully",
                                    ]
                                }
                            },
                        },
                    },
                    "healthcheck": {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {
                            "test": {"type": "array", "minItems": 2},
                            "interval": {"type": "string", "pattern": r"^\d+s$"},
                            "timeout": {"type": "string", "pattern": r"^\d+s$"},
                            "start_period": {"type": "string", "pattern": r"^\d+s$"},
                            "retries": {"type": "integer"},
                            "disable": {"const": True},
                        },
                    },
                },
            },
        },
    },
}


def test_the_file_has_the_shape_of_a_compose_file():
    errors = [error.message for error in Draft202012Validator(SCHEMA).iter_errors(COMPOSE)]
    assert errors == []


def test_every_part_is_there():
    assert set(SERVICES) == OURS | {"postgres", "valkey"}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_service_is_watched(name):
    check = SERVICES[name]["healthcheck"]
    if name == "migrate":
        assert check == {"disable": True}
        assert SERVICES[name]["restart"] == "no"
    else:
        assert check["test"][0] in ("CMD", "CMD-SHELL")
        assert {"interval", "timeout", "retries"} <= check.keys()


@pytest.mark.parametrize("name", sorted(OURS - {"migrate"}))
def test_nothing_of_ours_starts_before_the_migrations_are_done(name):
    needed = SERVICES[name]["depends_on"]
    assert needed["migrate"]["condition"] == "service_completed_successfully"
    assert needed["valkey"]["condition"] == "service_healthy"


def test_every_queue_has_a_pool_of_its_own_and_no_other():
    queues = {
        name: re.findall(r"-Q (\S+)", service["command"])
        for name, service in SERVICES.items()
        if name.startswith("worker-")
    }
    assert queues == {
        "worker-prompt": ["prompt"],
        "worker-control": ["control"],
        "worker-bulk": ["bulk"],
    }


def test_no_secret_has_a_value_or_a_default():
    for name in SECRETS:
        used = re.findall(r"\$\{" + name + r"([^A-Z_][^}]*|)\}", TEXT)
        assert used, name
        assert all(rest.startswith(":?") and len(rest) > 6 for rest in used), (name, used)
        assert f"{name}:" not in re.sub(r"\$\{[^}]*\}", "", TEXT).replace(f"{name}: \n", ""), name


def test_no_demo_and_no_debug():
    assert "seed_demo" not in TEXT
    assert "EMBEDDED" not in TEXT
    assert not re.search(r"^\s*DEBUG:", TEXT, re.MULTILINE)


def test_data_live_in_volumes_and_the_queue_is_appended():
    assert set(COMPOSE["volumes"]) == {"postgres", "valkey", "var"}
    assert "--appendonly yes" in SERVICES["valkey"]["command"]
    for service in ("postgres", "valkey", "web"):
        assert SERVICES[service]["volumes"]


def test_every_image_has_a_version():
    for name in ("postgres", "valkey"):
        assert re.search(r":\d+", SERVICES[name]["image"])


def test_containers_of_ours_can_do_little():
    for name in OURS:
        assert SERVICES[name]["read_only"] is True
        assert SERVICES[name]["cap_drop"] == ["ALL"]


def test_only_the_web_server_has_a_port_and_only_on_this_host():
    with_ports = {name for name, service in SERVICES.items() if "ports" in service}
    assert with_ports == {"web"}
    assert SERVICES["web"]["ports"] == ["${WEB_PORT:-127.0.0.1:8000}:8000"]


def compose_client() -> list[str] | None:
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]):
            found = subprocess.run([*command, "version"], capture_output=True, check=False)
            if found.returncode == 0:
                return command
    return None


def test_docker_compose_config_accepts_it():
    """Where that client is; the tests above stand for it elsewhere."""
    client = compose_client()
    if client is None:
        return
    values = {name: "x" * 40 for name in SECRETS} | {
        "BASE_URL": "https://news.clinic.org",
        "DEFAULT_FROM_EMAIL": "hello@clinic.org",
    }
    command = [*client, "-f", str(ROOT / "docker-compose.yml"), "config", "-q"]
    good = subprocess.run(command, env={"PATH": "/usr/bin:/bin:/usr/local/bin", **values},
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert good.returncode == 0, good.stderr
    for name in SECRETS:
        without = {key: value for key, value in values.items() if key != name}
        bad = subprocess.run(command, env={"PATH": "/usr/bin:/bin:/usr/local/bin", **without},
                             capture_output=True, text=True, check=False)  # fmt: skip
        assert bad.returncode != 0
        assert name in bad.stderr


# --- The image ---

DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_the_image_is_built_in_stages_and_runs_as_nobody_special():
    assert len(re.findall(r"^FROM ", DOCKERFILE, re.MULTILINE)) == 2
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER wellread$", last, re.MULTILINE)
    assert "HEALTHCHECK" in last
    assert "pip install" not in last


def test_the_image_installs_what_is_locked():
    assert "--require-hashes" in DOCKERFILE
    assert "-r requirements.txt" in DOCKERFILE


def test_no_key_stays_in_the_image():
    assert not re.search(r"^(ENV|ARG).*(SECRET|KEYS)", DOCKERFILE, re.MULTILINE)
    for name in ("SECRET_KEY", "TOKEN_KEYS", "LEDGER_KEYS", "SUPPRESSION_KEYS", "FACTOR_KEYS"):
        assert re.search(rf'{name}="[^"]*\$\(python -c', DOCKERFILE)


def test_the_context_holds_only_what_the_service_needs():
    lines = (ROOT / ".dockerignore").read_text().split()
    assert "*" in lines
    for name in ("!tests", "!var", "!.git", "!benchmarks"):
        assert name not in lines
    copied = {line.removeprefix("!") for line in lines if line.startswith("!")}
    assert copied >= {"project", "newsletter", "signup", "templates", "static", "manage.py"}
