"""The command line: one parser, one table of commands. Exit: 0 done, 1 something failed, 2 wrong usage or settings.

Commands live beside this file, one noun each, and are imported only when they are called.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from agent import __version__
from agent.errors import AgentError, ConfigError

STRICTNESS = ("precise", "balanced", "eager")
MODES = ("auto", "embedded", "model")


def _wish(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--fields", help="comma-separated field names, e.g. invoice_number,total")
    what.add_argument("--schema", type=Path, help="file with a JSON Schema of the wanted object")
    what.add_argument("--document-type", help="take the fields of a known type, e.g. invoice")
    parser.add_argument("--strictness", choices=STRICTNESS, help="how sure a value must be (default: balanced)")
    parser.add_argument("--mode", choices=MODES, help="embedded: no model sees the document")


def _serve(add: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = add.add_parser("serve", help="run the service")
    parser.add_argument("--host", help="address to listen on (HOST)")
    parser.add_argument("--port", help="port to listen on (PORT); 0 takes a free one")
    parser.add_argument("--workers", help="HTTP processes (WORKERS)")
    parser.add_argument("--one-of-many", action="store_true", help=argparse.SUPPRESS)  # how the parent starts them


def _extract(add: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = add.add_parser("extract", help="extract from files, no server needed")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    _wish(parser)
    parser.add_argument("--ask", help="the wish in words, e.g. 'the invoice number and the total'")
    parser.add_argument("--pages", help="e.g. 1-3,7")
    parser.add_argument("--password-file", type=Path, help="file with the password of locked PDFs")
    parser.add_argument("--format", choices=("json", "table", "csv"), default="json")
    parser.add_argument(
        "--html", type=Path, metavar="OUT", help="also write the results on their pages as one HTML file (no network)"
    )


def _batch(add: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = add.add_parser("batch", help="extract from many documents")
    parser.add_argument("manifest", type=Path, metavar="MANIFEST.jsonl|DIR")
    parser.add_argument("--out", type=Path, required=True, metavar="RESULTS.jsonl")
    parser.add_argument("--resume", action="store_true", help="keep the lines that are in --out and do the rest")
    parser.add_argument("--concurrency", type=int, help="documents at once (default: the PDF workers; 16 by --service)")
    parser.add_argument(
        "--service", metavar="URL", help="let a running service and all that share its queue do the work"
    )
    parser.add_argument("--key-file", type=Path, help="file with the API key for --service")
    _wish(parser)


def _send(add: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = add.add_parser("send", help="send a message to any A2A agent")
    parser.add_argument("url", metavar="URL")
    parser.add_argument("text")
    parser.add_argument("--file", type=Path, action="append", default=[], help="attach a file (may be repeated)")
    parser.add_argument("--task", help="continue this task")
    parser.add_argument("--stream", action="store_true", help="print events as they come")
    parser.add_argument("--key-file", type=Path, help="file with the API key")


def _keys(add: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    actions = add.add_parser("keys", help="API keys").add_subparsers(dest="action", required=True, metavar="ACTION")
    new = actions.add_parser("add", help="make a key; it is shown once and stored hashed")
    new.add_argument("name")
    new.add_argument("--scopes", help="comma-separated: extract read review metrics admin (default: extract,read)")
    new.add_argument("--documents", help="comma-separated patterns of library documents, e.g. acme/**")
    new.add_argument("--expires", help="e.g. 90d")
    actions.add_parser("list", help="names, scopes and ages; never the keys")
    actions.add_parser("revoke", help="end a key").add_argument("name")


def _purge(add: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = add.add_parser("purge", help="erase tasks, uploads and caches")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--task", metavar="ID")
    what.add_argument("--document", metavar="ID")
    what.add_argument("--caller", metavar="C")
    what.add_argument("--older-than", metavar="30d")


def _dead_letters(add: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    actions = add.add_parser("dead-letters", help="tasks given up because the processes that ran them died")
    chosen = actions.add_subparsers(dest="action", required=True, metavar="ACTION")
    chosen.add_parser("list", help="their ids, callers and times")
    chosen.add_parser("replay", help="ask for the same again, as a new task").add_argument("task", metavar="ID")


def _plain(add: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    add.add_parser("worker", help="run tasks of the shared queue (STORE_URL=redis://…)")
    add.add_parser("doctor", help="check everything and name what is wrong")
    add.add_parser("config", help="the effective settings with their source, secrets masked").add_argument(
        "--table", action="store_true", help="print the table of all settings as Markdown"
    )
    health = add.add_parser("healthcheck", help="exit 0 when the service on HOST and PORT is alive")
    health.add_argument("--ready", action="store_true", help="ask for readiness instead")


# command -> (module below agent.cli, its parser)
COMMANDS = {
    "serve": "serve",
    "extract": "extract",
    "batch": "batch",
    "send": "send",
    "worker": "serve",
    "keys": "keys",
    "dead-letters": "dead_letters",
    "purge": "purge",
    "doctor": "doctor",
    "config": "doctor",
    "healthcheck": "healthcheck",
}


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="extraction-agent", description="Typed values with proof from PDF documents, over A2A."
    )
    made.add_argument("--version", action="version", version=f"extraction-agent {__version__}")
    add = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for describe in (_serve, _extract, _batch, _send, _keys, _purge, _dead_letters, _plain):
        describe(add)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. Each command module has a function of the command's name."""
    options = parser().parse_args(arguments)
    module = importlib.import_module(f"agent.cli.{COMMANDS[options.command]}")
    try:
        return int(getattr(module, options.command.replace("-", "_"))(options))
    except ConfigError as exc:
        print(f"extraction-agent: {exc}", file=sys.stderr)
        return 2
    except AgentError as exc:
        print(f"extraction-agent: {exc.message}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
