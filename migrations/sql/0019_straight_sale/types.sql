-- The only candidate once more, in plain values, when it is exclusive, so that nobody needs to be chosen; else NULL.
-- To reach into an array costs thousands of instructions, and a sale would do it twenty times.
ALTER TYPE marketplace.offer ADD ATTRIBUTE sole_order uuid;
ALTER TYPE marketplace.offer ADD ATTRIBUTE sole_version integer;
ALTER TYPE marketplace.offer ADD ATTRIBUTE sole_buyer uuid;
ALTER TYPE marketplace.offer ADD ATTRIBUTE sole_price bigint;
ALTER TYPE marketplace.offer ADD ATTRIBUTE sole_later boolean;
