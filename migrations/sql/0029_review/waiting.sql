-- What waits for an operator's eye is a small part of each table, and claims are few beside sales; a sale enters none
-- of these.
CREATE INDEX accounts_suspended_idx ON core.accounts (id) WHERE standing = 'suspended';
CREATE INDEX webhooks_stopped_idx ON core.webhooks (disabled_at)
    WHERE deleted_at IS NULL AND disabled_reason IN ('gone', 'failing');
CREATE INDEX publishers_paused_idx ON affiliates.publishers (changed_at) WHERE standing = 'paused';
CREATE INDEX source_standings_stopped_idx ON marketplace.source_standings (changed_at) WHERE standing <> 'active';
CREATE INDEX orders_paused_idx ON marketplace.orders (changed_at) WHERE status = 'paused';
CREATE INDEX disputes_opened_at_idx ON marketplace.disputes (opened_at);
CREATE INDEX disputes_decided_at_idx ON marketplace.disputes (decided_at);
