"""ADF 1.0, the format of leads between car sites and dealers: written strictly, read leniently."""

from marketplace.leads.delivery.adf.model import (
    Address,
    Contact,
    Customer,
    Id,
    Name,
    Phone,
    Prospect,
    Provider,
    Vehicle,
    Vendor,
)
from marketplace.leads.delivery.adf.parcels import VEHICLE_ELEMENTS, prospect_of
from marketplace.leads.delivery.adf.read import read_adf
from marketplace.leads.delivery.adf.write import write_adf

__all__ = [
    "VEHICLE_ELEMENTS",
    "Address",
    "Contact",
    "Customer",
    "Id",
    "Name",
    "Phone",
    "Prospect",
    "Provider",
    "Vehicle",
    "Vendor",
    "prospect_of",
    "read_adf",
    "write_adf",
]
