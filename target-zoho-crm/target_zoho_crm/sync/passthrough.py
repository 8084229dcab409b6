"""Records of any tap whose stream is named like a Zoho module: upserted as they stand, on the key set in `modules`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from target_zoho_crm.mapping.layout import Destination
from target_zoho_crm.sync.planning import Create, Rejection
from target_zoho_crm.sync.refusals import STORAGE_FULL, stop_if_all_refused
from target_zoho_crm.sync.writing import Written

if TYPE_CHECKING:
    from target_zoho_crm.run import Run

logger = logging.getLogger("target-zoho-crm")


class Passthrough:
    """Upserts the records of one stream.

    Args:
        run: what all streams share.
        module: API name.
        key: API name of the field that tells records apart: the module's own one (of Contacts, Email), or a unique one.
    """

    def __init__(self, run: Run, module: str, key: str) -> None:
        self._run = run
        self._key = key
        self._destination = Destination(module, module, key, key_unique=True)

    def sync(self, records: list[dict[str, Any]]) -> None:
        """Write a batch; of several records with the same key the last one counts.

        Raises:
            ZohoError: if the run has to stop, also because all records were refused for one reason.
        """
        actions: dict[str, Create] = {}
        for record in records:
            values = {name: value for name, value in record.items() if not name.startswith("_sdc_")}
            key = values.get(self._key)
            if key is None or key == "":
                self._reject(Rejection("MANDATORY_NOT_FOUND", self._key, "a value"))
            else:
                actions[str(key)] = Create(str(key), values)
        outcomes = self._run.carry_out(self._destination, list(actions.values()))
        stop_if_all_refused(self._destination.stream, outcomes, self._run.summary.landed(self._destination.stream))
        for outcome in outcomes.values():
            if isinstance(outcome, Written):
                self._run.summary.count(self._destination.stream, outcome.how)
            else:
                self._reject(outcome)

    def _reject(self, rejection: Rejection) -> None:
        """Count and log a record that was refused; its key may be somebody's e-mail address, so it is not named."""
        stream, summary = self._destination.stream, self._run.summary
        summary.count(stream, "rejected")
        if rejection.code == STORAGE_FULL:
            summary.count(stream, "kept")
        elif summary.names(stream, "rejected", rejection.cause):
            logger.warning("%s: a record was rejected: %s", stream, rejection)
