"""The Singer target: which sink a stream gets, which stream is written first, and how a run ends."""

from __future__ import annotations

import gc
import os
import sys
import weakref
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, ClassVar

from singer_sdk import Target
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import PluginCapabilities

from singer_store import StoreError, close_to_others
from target_zoho_crm.background import Background
from target_zoho_crm.config import CONFIG_JSONSCHEMA
from target_zoho_crm.errors import ConfigurationError, ZohoError
from target_zoho_crm.reader import PrivateReader, standard_input
from target_zoho_crm.run import PLUGIN, Run
from target_zoho_crm.settings import read_dry_run, read_modules, read_settings
from target_zoho_crm.sinks import ClientsSink, IgnoredSink, InvoicesSink, PassthroughSink, PaymentsSink, ZohoSink

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import FrameType

    import click
    from singer_sdk.helpers.capabilities import CapabilitiesEnum
    from singer_sdk.sinks import Sink

PARENTS = {"invoices": ("clients",), "payments": ("clients", "invoices")}
"""Streams that are written before another one."""
SINKS: dict[str, type[Sink]] = {"clients": ClientsSink, "invoices": InvoicesSink, "payments": PaymentsSink}
OBJECTS_BETWEEN_COLLECTIONS = 50_000
SECRETS = ("client_secret", "refresh_token", "store_url", "store_key")


class TargetZohoCRM(Target):
    """Singer target for Zoho CRM: FreshBooks clients, invoices and payments as Accounts, Deals and payments."""

    name = PLUGIN
    config_jsonschema: ClassVar[dict[str, Any]] = CONFIG_JSONSCHEMA
    default_sink_class = IgnoredSink
    message_reader_class = PrivateReader
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    _run: Run | None = None
    _prepared = False
    _between_lines = False
    _stopped_by: int | None = None
    verdict: str | None = None
    """What is said at the end of a run that has brought nothing of a stream."""

    def __init__(self, **arguments: Any) -> None:
        close_to_others(os.environ)
        self._sinks: list[ZohoSink] = []
        self._background = Background()
        super().__init__(**arguments)
        # Parents before children; the calls of a sink are made several at a time.
        self.max_parallelism = 1

    @property
    def run(self) -> Run:
        """The run, begun with the first record that is not passed over.

        Raises:
            ConfigurationError: if a setting cannot be used.
        """
        if self._run is None:
            self._run = Run(read_settings(self.config))
            weakref.finalize(self, self._run.close)
        return self._run

    def prepare(self, account: str | None) -> None:
        """Have the organization checked, before the first batch and while it is read.

        Args:
            account: the FreshBooks account of the first record, as far as it says.
        """
        if not self._prepared:
            self._prepared = True
            self.run.account = account
            self._background.begin(self.run.check)

    @cached_property
    def modules(self) -> Mapping[str, str]:
        """The setting `modules`: stream, named like a module of Zoho's, → API name of its key."""
        return read_modules(self.config)

    @override
    def get_sink_class(self, stream_name: str) -> type[Sink]:
        return SINKS.get(stream_name) or (PassthroughSink if stream_name in self.modules else IgnoredSink)

    def register(self, sink: ZohoSink) -> None:
        """Remember a sink, also when a changed schema replaces it and the SDK drains it only later."""
        self._sinks.append(sink)

    def write(self, sink: ZohoSink, batch: Callable[[], None]) -> None:
        """Write a batch after those before it and what its stream depends on; this returns while it is written."""
        for parent in PARENTS.get(sink.stream_name, ()):
            for other in self._sinks:
                if other.stream_name == parent:
                    self.drain_one(other)
        self._background.begin(batch)

    def _settle(self) -> None:
        """Wait until all batches are written."""
        self._background.wait()
        if self._run is not None:
            self._run.complete()

    @override  # type: ignore[misc]
    def listen(self, file_input: IO[str] | None = None) -> None:
        """Read to the end; final in the SDK's typing, and overridden to know where a signal may be heeded."""
        super().listen(self._lines(file_input or self.message_reader.default_input))  # type: ignore[arg-type]

    def _lines(self, source: Iterable[str]) -> Iterator[str]:
        """Give line after line, and heed a signal between two of them."""
        lines = iter(source)
        while True:
            self._between_lines = True
            if self._stopped_by is not None:
                self._handle_termination(self._stopped_by, None)
            line = next(lines, None)
            self._between_lines = False
            if line is None:
                return
            yield line

    @override
    def process_endofpipe(self) -> None:
        super().process_endofpipe()
        self.finish()

    def finish(self, *, failed: bool = False) -> None:
        """Wait for the last batch, report the run and close what it opened."""
        if not failed:
            self._settle()
        self._background.close()
        if self._run is not None:
            if not failed and not self._run.settings.dry_run:
                self.verdict = self._run.summary.conclude()
            self._run.finish(failed=failed)

    @override
    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        self._background.check()
        super()._process_record_message(message_dict)

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Write what has come in, and end; in the middle of a message, after it.

        A batch that is on its way would not be waited for there, and the state would say more than is written. What is
        interrupted may also hold a lock (the log's, for one) that the threads to be waited for need.
        """
        if not self._between_lines:
            self._stopped_by = signum
            return
        self._between_lines = False
        try:
            super()._handle_termination(signum, frame)
        finally:
            self.finish()

    @override
    def _write_state_message(self, state: dict[str, Any]) -> None:
        """Write the state as soon as all that it stands for is written; in a dry run, nothing is."""
        self._settle()
        if not read_dry_run(self.config):
            super()._write_state_message(state)

    @classmethod
    @override
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> Any:
        try:
            return super().cb_config(ctx, param, value)
        except (OSError, TypeError, ValueError):
            files = ", ".join(one for one in value if one != "ENV")
            cls.logger.critical("%s cannot be read as the JSON object of the settings.", files)
            sys.exit(1)

    @classmethod
    @override
    def invoke(cls, *, config: Any = None, file_input: Any = None, **arguments: Any) -> None:
        """Run the target; what a person has to put right is said in one sentence, with exit code 1."""
        if arguments.get("about"):
            super().invoke(**arguments)
        target = None
        # Records make no cycles, and to look for some among them took a tenth of the time.
        gc.freeze()
        gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
        try:
            cls.print_version(print_fn=cls.logger.info)
            target = cls._configured(config)
            target.listen(file_input or standard_input())
        except (ZohoError, StoreError) as error:
            if target is not None:
                target.finish(failed=True)
            cls.logger.critical("%s", error)
            sys.exit(1)
        if target.verdict is not None:
            cls.logger.critical("%s", target.verdict)
            sys.exit(1)

    @classmethod
    def _configured(cls, config: Any) -> TargetZohoCRM:
        """Make the target from what the command line gave.

        Raises:
            ConfigurationError: if a number or an object in the environment cannot be read.
        """
        settings, from_environment = (config.config, config.parse_env) if config else ({}, False)
        try:
            return cls(config=settings, parse_env_config=from_environment)
        except ValueError:
            raise ConfigurationError(
                "A TARGET_ZOHO_CRM_… variable in the environment cannot be read: numbers have to be whole ones, and "
                'objects JSON such as {"name": "value"}.'
            ) from None

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        try:
            return super()._validate_config(raise_errors=raise_errors)
        except ConfigValidationError as error:
            # The validator quotes what it does not like.
            errors = [_without_secrets(text, self._config) for text in error.errors]
            raise ConfigValidationError(str(error), errors=errors, schema=error.schema) from None


def _without_secrets(text: str, config: Mapping[str, Any]) -> str:
    for name in SECRETS:
        value = config.get(name)
        if value:
            text = text.replace(repr(value), "***").replace(str(value), "***")
    return text
