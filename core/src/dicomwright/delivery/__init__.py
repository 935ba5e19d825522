"""Deliver finished files: what is sent again, what is known of each instance, and when all of it has arrived.

Senders transmit; here it is decided what is sent again, and written down what became of it.
"""

from __future__ import annotations

from dicomwright.delivery.ledger import Ledger
from dicomwright.delivery.policy import Policy
from dicomwright.delivery.report import DeliveryRow, DestinationReport, Report
from dicomwright.delivery.runs import deliver

__all__ = ["DeliveryRow", "DestinationReport", "Ledger", "Policy", "Report", "deliver"]
