-- Until when (real time) the caller of the sale function has the delivery to a candidate in hand; NULL, or an empty
-- array for all, when it is the courier's. Whoever dies with it leaves a lease that ends, as a courier does.
ALTER TYPE marketplace.offer ADD ATTRIBUTE leases timestamptz[];

-- Where the buyer who accepted wants the person to go on.
ALTER TABLE marketplace.deliveries ADD COLUMN redirect_url text;
