"""Singer's side: sinks for FreshBooks' streams, for streams named like a Zoho module, and for all others."""

from __future__ import annotations

import abc
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk.sinks import BatchSink

from target_zoho_crm.sync.clients import Clients
from target_zoho_crm.sync.invoices import Invoices
from target_zoho_crm.sync.passthrough import Passthrough
from target_zoho_crm.sync.payments import Payments

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from singer_sdk.sinks import BaseJSONSchemaValidator

    from target_zoho_crm.sync.syncing import StreamSync
    from target_zoho_crm.target import TargetZohoCRM

RECORDS_A_BATCH = 1000
"""Read, planned and written together: ten calls of a hundred records, as many as Zoho takes at a time."""


class ZohoSink(BatchSink):
    """A sink whose records are checked by the mapping, one by one, so that a bad one stops no other."""

    MAX_SIZE_DEFAULT = RECORDS_A_BATCH

    def __init__(
        self, target: TargetZohoCRM, stream_name: str, schema: dict[str, Any], key_properties: Sequence[str] | None
    ) -> None:
        super().__init__(target, stream_name, schema, key_properties)
        self._zoho = target
        target.register(self)

    @property
    @override
    def include_sdc_metadata_properties(self) -> bool:
        """Keep `_sdc_extracted_at`, the time at which the tap read the record."""
        return True

    @override
    def _add_sdc_metadata_to_record(
        self, record: dict[str, Any], message: dict[str, Any], context: dict[str, Any]
    ) -> None:
        """Add of Singer's own properties the one that is looked at; the others take time for each record."""
        record["_sdc_extracted_at"] = message.get("time_extracted")

    @override
    def get_validator(self) -> BaseJSONSchemaValidator | None:
        """Do without JSON schema, which would stop the run, and log the record, where one is not valid."""
        return None

    @override
    def _validate_and_parse(self, record: dict[str, Any]) -> dict[str, Any]:
        """Leave date-times to the mapping; the SDK would stop the run at the first that is none."""
        return record

    @override
    def preprocess_record(self, record: dict[str, Any], context: dict[str, Any]) -> dict[str, Any]:
        """Let the mapping see a record whose key is missing, instead of stopping the run."""
        for name in self.key_properties:
            record.setdefault(name, None)
        return record

    @override
    def _after_process_record(self, context: dict[str, Any]) -> None:
        """Log nothing: the SDK's own debug message would show every record of the batch, with each of them."""

    @property
    @override
    def batch_processing_timer(self) -> AbstractContextManager[None]:  # type: ignore[override]
        """Measure nothing where the SDK does: a batch is only handed over there."""
        return nullcontext()

    @override
    def process_batch(self, context: dict[str, Any]) -> None:
        """Bring a batch to Zoho, its parents first."""
        records = context.get("records", [])

        def batch() -> None:
            with super(ZohoSink, self).batch_processing_timer:
                self.bring(records)

        self._zoho.write(self, batch)

    @abc.abstractmethod
    def bring(self, records: list[dict[str, Any]]) -> None:
        """Bring records to Zoho."""


class FreshBooksSink(ZohoSink):
    """A sink of one of FreshBooks' streams."""

    sync_class: ClassVar[type[StreamSync]]

    @override
    def preprocess_record(self, record: dict[str, Any], context: dict[str, Any]) -> dict[str, Any]:
        """Have the organization checked from the first record on; nothing is written if anything is wrong."""
        account = record.get("account_id")
        self._zoho.prepare(account if isinstance(account, str) else None)
        return super().preprocess_record(record, context)

    @override
    def bring(self, records: list[dict[str, Any]]) -> None:
        self.sync_class(self._zoho.run).sync(records)


class ClientsSink(FreshBooksSink):
    """Clients become Accounts."""

    sync_class = Clients


class InvoicesSink(FreshBooksSink):
    """Invoices become Deals."""

    sync_class = Invoices


class PaymentsSink(FreshBooksSink):
    """Payments become records of their module, and the last payment of their deal."""

    # They are small, and a batch of them takes three rounds of calls, one after the other.
    MAX_SIZE_DEFAULT = 2 * RECORDS_A_BATCH

    sync_class = Payments


class PassthroughSink(ZohoSink):
    """Records of a stream named like a Zoho module are upserted as they stand."""

    @override
    def bring(self, records: list[dict[str, Any]]) -> None:
        Passthrough(self._zoho.run, self.stream_name, self._zoho.modules[self.stream_name]).sync(records)


class IgnoredSink(BatchSink):
    """Records of other streams are passed over."""

    @override
    def setup(self) -> None:
        super().setup()
        self.logger.warning(
            "The stream %s is passed over: it is none of clients, invoices and payments, nor named in modules.",
            self.stream_name,
        )

    @override
    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        """Keep nothing."""

    @override
    def process_batch(self, context: dict[str, Any]) -> None:
        """Write nothing."""
