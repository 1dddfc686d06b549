"""What leads are worth: seeds of prices as data, until the exchange's own trade shows better ones."""
