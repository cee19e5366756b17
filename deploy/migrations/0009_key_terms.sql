-- A key may end by itself, be good from some networks alone, and be replaced by another while it still works.

ALTER TABLE api_keys
  ADD COLUMN created_by text,
  ADD COLUMN expires_at timestamptz,
  ADD COLUMN allowed_cidrs text[] NOT NULL DEFAULT '{}',
  ADD COLUMN successor_id text,
  ADD COLUMN last_used_at timestamptz,
  ADD CONSTRAINT api_keys_expires_at_check CHECK (expires_at > created_at),
  ADD CONSTRAINT api_keys_successor_fkey FOREIGN KEY (tenant_id, successor_id) REFERENCES api_keys;
COMMENT ON COLUMN api_keys.created_by IS 'The key that made it; NULL for one that was made on the host.';
COMMENT ON COLUMN api_keys.allowed_cidrs IS 'The networks that it may be used from; none is from everywhere.';
COMMENT ON COLUMN api_keys.successor_id IS 'The key that it was replaced by, before it ended.';
COMMENT ON COLUMN api_keys.last_used_at IS 'When it was last used, to some minutes: a use shortly after a use that is noted is not.';
