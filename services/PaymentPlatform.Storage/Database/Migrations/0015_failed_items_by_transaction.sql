-- Way back: DROP INDEX failed_items_by_transaction. Nothing is lost.

-- For the audit trail of a payment. A hash, because what is not valid may have an id of any length.
CREATE INDEX failed_items_by_transaction ON failed_items USING hash (transaction_id);
