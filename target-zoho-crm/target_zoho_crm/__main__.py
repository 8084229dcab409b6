"""The target as `python -m target_zoho_crm`."""

from __future__ import annotations

from target_zoho_crm.target import TargetZohoCRM

TargetZohoCRM.cli()
