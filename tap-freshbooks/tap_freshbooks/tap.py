"""The tap."""

from __future__ import annotations

import gc
import os
import sys
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

from singer_sdk import Tap
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities

from singer_store import StoreError, close_to_others
from tap_freshbooks.config import CONFIG_JSONSCHEMA
from tap_freshbooks.errors import SettingError, TapError
from tap_freshbooks.run import Run
from tap_freshbooks.settings import SECRETS, Settings
from tap_freshbooks.streams import STREAMS
from tap_freshbooks.writer import Writer

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator, Mapping

    import click
    from singer_sdk import Stream
    from singer_sdk.helpers.capabilities import CapabilitiesEnum

    from tap_freshbooks.stream import FreshBooksStream

OBJECTS_BETWEEN_COLLECTIONS = 50_000


class TapFreshBooks(Tap):
    """Singer tap for FreshBooks: clients, invoices and payments, incrementally."""

    name = "tap-freshbooks"
    config_jsonschema: ClassVar[dict[str, Any]] = CONFIG_JSONSCHEMA
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    message_writer_class = Writer

    _run: Run | None = None

    def __init__(self, *arguments: Any, **more: Any) -> None:
        """Make the tap; see `singer_sdk.Tap`.

        Raises:
            SettingError: if a number or an object in the environment cannot be read.
        """
        close_to_others(os.environ)
        try:
            super().__init__(*arguments, **more)
        except ValueError:
            if not more.get("parse_env_config"):
                raise
            raise SettingError(
                "A TAP_FRESHBOOKS_… variable in the environment cannot be read: numbers have to be whole ones, and "
                'objects JSON such as {"name": "value"}.'
            ) from None

    @property
    def run(self) -> Run:
        """The run, begun when it is first needed: discovery needs neither settings nor a connection.

        Raises:
            TapError: if the settings cannot be used, or FreshBooks cannot be.
            StoreError: if the store cannot be used.
        """
        if self._run is None:
            self._run = Run.open(Settings.from_config(self.config))
            weakref.finalize(self, self._run.close)
        return self._run

    def close(self) -> None:
        """End the run, if one began."""
        if self._run is not None:
            self._run.close()
            self._run = None

    @override
    def discover_streams(self) -> list[Stream]:
        return [stream(self) for stream in STREAMS]

    @property
    @override
    def streams(self) -> dict[str, Stream]:
        """The streams in the order of `STREAMS`; the SDK would have them by name."""
        by_name = super().streams
        return {stream.resource.name: by_name[stream.resource.name] for stream in STREAMS}

    @override  # type: ignore[misc]
    def sync_all(self) -> None:
        """Sync all selected streams.

        Final in the SDK's typing, and overridden because the SDK raises each stream's bookmark as soon as that stream
        ends. Here a run is complete only when the invoices whose payments changed, and the clients whose balances
        changed with both, are written, too: if it broke off before, those would stay wrong until the next change.
        """
        streams = [cast("FreshBooksStream", stream) for stream in self.streams.values() if stream.selected]
        run = self.run
        outcome: Literal["ok", "failed"] | None = "failed"
        try:
            run.check_scopes({stream.name for stream in streams})
            if run.settings.record_ids is not None:
                self._sync_objects(run, streams)
            else:
                self._sync_changes(run, streams)
            outcome = "ok"
        except (BrokenPipeError, SystemExit):
            # Whoever reads has seen enough, as `meltano config test` has after one record: nothing has failed.
            outcome = None
            raise
        finally:
            if outcome is not None:
                run.note(outcome, {stream.name: stream.emitted for stream in streams}, self.logger)
            self.close()

    def _sync_objects(self, run: Run, streams: list[FreshBooksStream]) -> None:
        """Write just the objects of `record_ids` with what they depend on; the state is left alone."""
        family = run.fetch_wanted({stream.name for stream in streams}, self.logger)
        for stream in streams:
            if pages := family.pages.get(stream.name):
                stream.write_schema()
                stream.write(pages)

    def _sync_changes(self, run: Run, streams: list[FreshBooksStream]) -> None:
        self._reset_state_progress_markers()
        for stream in streams:
            stream.begin()
        if self.state:
            self.state_writer.write_state(self.state)
        run.fetch_due({stream.name for stream in streams}, self.logger)
        for stream in streams:
            stream.sync()
        # Each is as new as what belongs to it only if that was read before: invoices, then their clients.
        for stream in sorted(streams, key=lambda stream: len(stream.resource.parents), reverse=True):
            stream.write_stale()
        for stream in streams:
            stream.finalize_state_progress_markers()
            stream.log_sync_costs()

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
    def invoke(cls, **arguments: Any) -> None:
        # Records make no cycles, and to look for some among them took a twentieth of the time.
        gc.freeze()
        gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
        with _plain_errors(cls.logger):
            super().invoke(**arguments)

    @classmethod
    @override
    def cb_discover(cls, *arguments: Any, **more: Any) -> None:
        with _plain_errors(cls.logger):
            super().cb_discover(*arguments, **more)

    @classmethod
    @override
    def cb_test(cls, *arguments: Any, **more: Any) -> None:
        with _plain_errors(cls.logger):
            super().cb_test(*arguments, **more)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        try:
            return super()._validate_config(raise_errors=raise_errors)
        except ConfigValidationError as error:
            # The validator quotes what it does not like.
            errors = [_without_secrets(text, self._config) for text in error.errors]
            raise ConfigValidationError(str(error), errors=errors, schema=error.schema) from None


@contextmanager
def _plain_errors(logger: logging.Logger) -> Iterator[None]:
    """Turn errors that say what to do into that one sentence and exit code 1; others keep their traceback."""
    try:
        yield
    except (TapError, StoreError) as error:
        logger.critical("%s", error)
        sys.exit(1)
    except BrokenPipeError:
        # Else Python tries to write what is left when it ends, and complains.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        logger.warning("Whatever reads the records has ended, so the tap ends, too.")
        sys.exit(1)


def _without_secrets(text: str, config: Mapping[str, Any]) -> str:
    for name in SECRETS:
        if config.get(name):
            text = text.replace(repr(config[name]), "(secret)")
    return text
