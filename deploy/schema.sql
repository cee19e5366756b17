--
-- PostgreSQL database dump
--

--
-- Name: audit_subject; Type: TYPE; Schema: public; Owner: -
--

CREATE TYPE public.audit_subject AS (
	tenant_id text,
	id text,
	document json
);

--
-- Name: audit_append(text, text, text, text, text, text, text, json, json); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.audit_append(tenant text, actor_type text, actor text, address text, action text, kind text, id text, before json, after json) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
  head audit_chains;
  entry audit_log;
BEGIN
  SELECT * INTO head FROM audit_chains WHERE tenant_id = tenant FOR UPDATE;
  IF NOT FOUND THEN
    INSERT INTO audit_chains (tenant_id) VALUES (tenant) ON CONFLICT DO NOTHING;
    SELECT * INTO head FROM audit_chains WHERE tenant_id = tenant FOR UPDATE;
  END IF;
  entry := ROW(
    tenant, head.seq + 1, clock_timestamp(), actor_type, actor, address, action, kind, id,
    translate(before::text, E'\n\r', '  ')::json, translate(after::text, E'\n\r', '  ')::json, head.hash, NULL);
  entry.hash := sha256(convert_to(audit_canonical(entry), 'UTF8'));
  INSERT INTO audit_log SELECT entry.*;
  UPDATE audit_chains SET seq = entry.seq, hash = entry.hash WHERE tenant_id = tenant;
END
$$;

--
-- Name: audit_archive(text, bigint, bytea, text); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.audit_archive(tenant text, through_seq bigint, through_hash bytea, file text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
DECLARE
  head audit_chains;
BEGIN
  SELECT * INTO head FROM audit_chains WHERE tenant_id = tenant FOR UPDATE;
  PERFORM FROM audit_log WHERE tenant_id = tenant AND seq = through_seq AND hash = through_hash;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'row % of the audit log is not the one that was archived', through_seq;
  END IF;
  UPDATE audit_chains SET archived_seq = through_seq, archived_hash = through_hash WHERE tenant_id = tenant;
  PERFORM audit_write(
    tenant, 'archive', 'audit-log', NULL, NULL,
    json_build_object(
      'from_seq', head.archived_seq + 1, 'through_seq', through_seq, 'through_hash', encode(through_hash, 'hex'),
      'file', file));
  RETURN through_seq - head.archived_seq;
END
$$;

--
-- Name: rfc3339(timestamp with time zone); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.rfc3339(moment timestamp with time zone) RETURNS text
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    RETURN to_char((moment AT TIME ZONE 'UTC'::text), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'::text);

--
-- Name: audit_log; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.audit_log (
    tenant_id text NOT NULL,
    seq bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    actor_type text NOT NULL,
    actor text,
    address text,
    action text NOT NULL,
    kind text NOT NULL,
    id text,
    before json,
    after json,
    previous_hash bytea NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT audit_log_actor_type_check CHECK ((actor_type = ANY (ARRAY['key'::text, 'command'::text, 'job'::text, 'database'::text, 'unknown'::text])))
);

ALTER TABLE ONLY public.audit_log FORCE ROW LEVEL SECURITY;

--
-- Name: TABLE audit_log; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.audit_log IS 'What was changed and what was refused, in an order that cannot be altered unnoticed. Append-only.';

--
-- Name: COLUMN audit_log.actor; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.audit_log.actor IS 'By actor_type: the id of a key, the user of the operating system, the name of a job, the role of whoever wrote SQL by hand.';

--
-- Name: COLUMN audit_log.address; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.audit_log.address IS 'Where it came from: the address of a call, the name of the host for the others.';

--
-- Name: COLUMN audit_log.hash; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.audit_log.hash IS 'SHA-256 of audit_canonical().';

--
-- Name: audit_canonical(public.audit_log); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.audit_canonical(entry public.audit_log) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (((((((((((((((((((((((('{"tenant_id":'::text || to_json((entry).tenant_id)) || ',"seq":'::text) || (entry).seq) || ',"at":"'::text) || public.rfc3339((entry).at)) || '","actor_type":'::text) || to_json((entry).actor_type)) || ',"actor":'::text) || COALESCE((to_json((entry).actor))::text, 'null'::text)) || ',"address":'::text) || COALESCE((to_json((entry).address))::text, 'null'::text)) || ',"action":'::text) || to_json((entry).action)) || ',"kind":'::text) || to_json((entry).kind)) || ',"id":'::text) || COALESCE((to_json((entry).id))::text, 'null'::text)) || ',"before":'::text) || COALESCE(((entry).before)::text, 'null'::text)) || ',"after":'::text) || COALESCE(((entry).after)::text, 'null'::text)) || ',"previous_hash":"'::text) || encode((entry).previous_hash, 'hex'::text)) || '"}'::text);

--
-- Name: audit_chain_only_grows(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.audit_chain_only_grows() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF NEW.tenant_id = OLD.tenant_id
      AND (
        NEW.seq = OLD.seq + 1 AND (NEW.archived_seq, NEW.archived_hash) = (OLD.archived_seq, OLD.archived_hash)
        OR (NEW.seq, NEW.hash) = (OLD.seq, OLD.hash) AND NEW.archived_seq > OLD.archived_seq
      )
    THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'the chain of the audit log only grows' USING ERRCODE = 'insufficient_privilege';
END
$$;

--
-- Name: audit_change(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.audit_change() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
DECLARE
  was audit_subject;
  becomes audit_subject;
BEGIN
  IF TG_OP <> 'INSERT' THEN
    was := audit_subject_of(OLD);
  END IF;
  IF TG_OP <> 'DELETE' THEN
    becomes := audit_subject_of(NEW);
  END IF;
  IF was.tenant_id <> becomes.tenant_id THEN
    PERFORM audit_write(was.tenant_id, 'delete', TG_ARGV[0], was.id, was.document, NULL);
    PERFORM audit_write(becomes.tenant_id, 'create', TG_ARGV[0], becomes.id, NULL, becomes.document);
    RETURN NULL;
  END IF;
  PERFORM audit_write(
    coalesce(becomes.tenant_id, was.tenant_id),
    coalesce(TG_ARGV[1], CASE TG_OP WHEN 'INSERT' THEN 'create' WHEN 'DELETE' THEN 'delete' ELSE 'update' END),
    TG_ARGV[0], coalesce(becomes.id, was.id), was.document, becomes.document);
  RETURN NULL;
END
$$;

--
-- Name: audit_config(json); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.audit_config(config json) RETURNS json
    LANGUAGE sql STABLE
    RETURN (SELECT COALESCE(json_object_agg(member.key, CASE WHEN (json_typeof(member.value) = 'null'::text) THEN member.value WHEN (member.key = ANY (ARRAY['api_key'::text, 'webhook_url'::text, 'signing_secret'::text, 'previous_signing_secret'::text, 'smtp_password'::text])) THEN '"********"'::json WHEN ((member.key = 'headers'::text) AND (json_typeof(member.value) = 'object'::text)) THEN (SELECT COALESCE(json_object_agg(name.name, '********'), '{}'::json) AS "coalesce" FROM json_object_keys(member.value) name(name)) ELSE member.value END), '{}'::json) AS "coalesce" FROM json_each((regexp_replace((audit_config.config)::text, '(?<!\\)((\\\\)*)\\u0000'::text, '\1\\ufffd'::text, 'g'::text))::json) member(key, value));

--
-- Name: audit_fold(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.audit_fold() RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
DECLARE
  folded record;
  callers bigint := 0;
BEGIN
  FOR folded IN
    WITH over AS (
      DELETE FROM audit_refusals
      WHERE minute < date_trunc('minute', now())
      RETURNING *
    )
    SELECT *
    FROM over
    WHERE calls > 1
    ORDER BY tenant_id, minute, actor_type, actor, address, status
  LOOP
    PERFORM audit_append(
      folded.tenant_id, folded.actor_type, nullif(folded.actor, ''), nullif(folded.address, ''), 'refuse', 'call', NULL,
      NULL, json_build_object(
        'status', folded.status, 'calls', folded.calls - 1, 'from', rfc3339(folded.minute),
        'to', rfc3339(folded.last_at)));
    callers := callers + 1;
  END LOOP;
  RETURN callers;
END
$$;

--
-- Name: audit_log_is_append_only(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.audit_log_is_append_only() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    PERFORM FROM audit_chains WHERE tenant_id = OLD.tenant_id AND archived_seq >= OLD.seq;
    IF FOUND THEN
      RETURN OLD;
    END IF;
  END IF;
  RAISE EXCEPTION 'the audit log is append-only'
    USING ERRCODE = 'insufficient_privilege', HINT = 'tocsin audit archive moves what is old to a file.';
END
$$;

--
-- Name: audit_no_truncation(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.audit_no_truncation() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  RAISE EXCEPTION 'the audit log would not tell what is gone'
    USING ERRCODE = 'insufficient_privilege', HINT = 'DELETE leaves an entry of each row.';
END
$$;

--
-- Name: audit_note(text, text, text, text, json, json); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.audit_note(tenant text, action text, kind text, id text, before json, after json) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
  IF tenant IS DISTINCT FROM current_setting('tocsin.tenant') THEN
    RAISE EXCEPTION 'the transaction is for another tenant than the entry' USING ERRCODE = 'insufficient_privilege';
  END IF;
  PERFORM audit_write(tenant, action, kind, id, before, after);
END
$$;

--
-- Name: audit_refuse(text, text, integer); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.audit_refuse(tenant text, call text, refusal integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
DECLARE
  this_minute timestamptz := date_trunc('minute', now());
  caller_type text := current_setting('tocsin.actor_type');
  caller text := current_setting('tocsin.actor');
  source text := current_setting('tocsin.address');
  number bigint;
BEGIN
  IF tenant IS DISTINCT FROM current_setting('tocsin.tenant') THEN
    RAISE EXCEPTION 'the transaction is for another tenant than the entry' USING ERRCODE = 'insufficient_privilege';
  END IF;
  UPDATE audit_refusals
  SET calls = calls + 1, last_at = now()
  WHERE (tenant_id, minute, actor_type, actor, address, status)
    = (tenant, this_minute, caller_type, caller, source, refusal);
  IF FOUND THEN
    RETURN;
  END IF;
  IF (SELECT count(*) FROM audit_refusals WHERE tenant_id = tenant AND minute = this_minute) >= 20 THEN
    caller_type := 'unknown';
    caller := '';
    source := '';
  END IF;
  INSERT INTO audit_refusals AS refusals (tenant_id, minute, actor_type, actor, address, status, calls, last_at)
  VALUES (tenant, this_minute, caller_type, caller, source, refusal, 1, now())
  ON CONFLICT (tenant_id, minute, actor_type, actor, address, status) DO UPDATE
  SET calls = refusals.calls + 1, last_at = now()
  RETURNING calls INTO number;
  IF number = 1 THEN
    PERFORM audit_append(
      tenant, caller_type, nullif(caller, ''), nullif(source, ''), 'refuse', 'call', call, NULL,
      json_build_object('status', refusal));
  END IF;
END
$$;

--
-- Name: audit_remove_archived(text, bigint); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.audit_remove_archived(tenant text, row_limit bigint) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
DECLARE
  rows bigint;
BEGIN
  DELETE FROM audit_log
  WHERE tenant_id = tenant
    AND seq IN (
      SELECT entry.seq
      FROM audit_log AS entry
      JOIN audit_chains AS chain USING (tenant_id)
      WHERE tenant_id = tenant AND entry.seq <= archived_seq
      ORDER BY entry.seq
      LIMIT row_limit
    );
  GET DIAGNOSTICS rows = ROW_COUNT;
  RETURN rows;
END
$$;

--
-- Name: alert_deliveries; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.alert_deliveries (
    tenant_id text NOT NULL,
    delivery_id uuid DEFAULT gen_random_uuid() NOT NULL,
    alert_id text,
    provider_id text NOT NULL,
    state text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    next_attempt_at timestamp with time zone NOT NULL,
    leased_until timestamp with time zone,
    lease_token uuid,
    last_status integer,
    last_error text,
    recipients text[],
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    event text DEFAULT 'triggered'::text NOT NULL,
    retried_at timestamp with time zone,
    attempts_before integer DEFAULT 0 NOT NULL,
    held_back json,
    CONSTRAINT alert_deliveries_alert_check CHECK (((alert_id IS NOT NULL) OR (event = ANY (ARRAY['digest'::text, 'test'::text])))),
    CONSTRAINT alert_deliveries_event_check CHECK ((event = ANY (ARRAY['triggered'::text, 'acknowledged'::text, 'resolved'::text, 'digest'::text, 'test'::text]))),
    CONSTRAINT alert_deliveries_held_back_check CHECK (((held_back IS NOT NULL) = (event = 'digest'::text))),
    CONSTRAINT alert_deliveries_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'sent'::text, 'failed'::text, 'dead'::text, 'skipped'::text])))
)
WITH (fillfactor='70');

ALTER TABLE ONLY public.alert_deliveries FORCE ROW LEVEL SECURITY;

--
-- Name: TABLE alert_deliveries; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.alert_deliveries IS 'The outbox: one row per alert and provider, written with the alert. Who leases a row alone may attempt it until then.';

--
-- Name: COLUMN alert_deliveries.state; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.alert_deliveries.state IS 'failed: the receiver refused it for good. dead: the retries are exhausted. skipped: the provider was switched off.';

--
-- Name: COLUMN alert_deliveries.next_attempt_at; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.alert_deliveries.next_attempt_at IS 'When it is due. The epoch: at once, even if the provider''s breaker is open or its pace used up.';

--
-- Name: COLUMN alert_deliveries.recipients; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.alert_deliveries.recipients IS 'The e-mail addresses that are still to be reached; NULL for all of the provider''s.';

--
-- Name: COLUMN alert_deliveries.event; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.alert_deliveries.event IS 'What is told. All but triggered wait for what goes before them about the same alert to the same provider; a test is about no
alert, and a digest about none where none of those that the events were folded into was open.';

--
-- Name: COLUMN alert_deliveries.retried_at; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.alert_deliveries.retried_at IS 'When somebody last had it tried afresh: the schedule counts its days from then, as it does from created_at before.';

--
-- Name: COLUMN alert_deliveries.attempts_before; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.alert_deliveries.attempts_before IS 'The attempts before retried_at, which the schedule does not count.';

--
-- Name: COLUMN alert_deliveries.held_back; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.alert_deliveries.held_back IS 'What a digest tells. It stands here and not with its policy, which may change or go before everybody has been told.';

--
-- Name: audit_subject_of(public.alert_deliveries); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.audit_subject_of(delivery public.alert_deliveries) RETURNS public.audit_subject
    LANGUAGE sql STABLE
    RETURN ROW((delivery).tenant_id, ((delivery).delivery_id)::text, json_build_object('alert_id', (delivery).alert_id, 'provider_id', (delivery).provider_id, 'event', (delivery).event, 'state', (delivery).state, 'attempt_count', (delivery).attempts))::public.audit_subject;

--
-- Name: alert_policies; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.alert_policies (
    tenant_id text NOT NULL,
    policy_id text NOT NULL,
    document json NOT NULL,
    enabled boolean NOT NULL,
    severity text NOT NULL,
    rule_ids text[] NOT NULL,
    provider_ids text[] NOT NULL,
    throttle_minutes integer NOT NULL,
    max_alerts_per_hour integer NOT NULL,
    window_start time without time zone,
    window_end time without time zone,
    window_days smallint[],
    window_timezone text,
    created_by text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    digest_minutes integer DEFAULT 0 NOT NULL,
    throttle_by text[] DEFAULT '{}'::text[] NOT NULL,
    CONSTRAINT alert_policies_digest_minutes_check CHECK ((digest_minutes >= 0)),
    CONSTRAINT alert_policies_max_alerts_per_hour_check CHECK ((max_alerts_per_hour >= 0)),
    CONSTRAINT alert_policies_severity_check CHECK ((severity = ANY (ARRAY['critical'::text, 'high'::text, 'medium'::text, 'low'::text, 'info'::text]))),
    CONSTRAINT alert_policies_throttle_minutes_check CHECK ((throttle_minutes >= 0))
);

ALTER TABLE ONLY public.alert_policies FORCE ROW LEVEL SECURITY;

--
-- Name: TABLE alert_policies; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.alert_policies IS 'The document is what the client sees, to the letter; the other columns are the part of it that SQL decides by.';

--
-- Name: COLUMN alert_policies.throttle_by; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.alert_policies.throttle_by IS 'The fields that the throttle keys are made of. Policies that were last saved before there were digests have none here.';

--
-- Name: audit_subject_of(public.alert_policies); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.audit_subject_of(policy public.alert_policies) RETURNS public.audit_subject
    LANGUAGE sql STABLE
    RETURN ROW((policy).tenant_id, (policy).policy_id, (policy).document)::public.audit_subject;

--
-- Name: alert_providers; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.alert_providers (
    tenant_id text NOT NULL,
    provider_id text NOT NULL,
    name text NOT NULL,
    provider_type text NOT NULL,
    enabled boolean NOT NULL,
    config json NOT NULL,
    created_by text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT alert_providers_provider_type_check CHECK ((provider_type = ANY (ARRAY['pagerduty'::text, 'slack'::text, 'webhook'::text, 'email'::text])))
);

ALTER TABLE ONLY public.alert_providers FORCE ROW LEVEL SECURITY;

--
-- Name: TABLE alert_providers; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.alert_providers IS 'Where alerts are sent.';

--
-- Name: COLUMN alert_providers.config; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.alert_providers.config IS 'Holds secrets: only what talks to the receiver, or masks them, reads it.';

--
-- Name: audit_subject_of(public.alert_providers); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.audit_subject_of(provider public.alert_providers) RETURNS public.audit_subject
    LANGUAGE sql STABLE
    RETURN ROW((provider).tenant_id, (provider).provider_id, json_build_object('name', (provider).name, 'provider_type', (provider).provider_type, 'enabled', (provider).enabled, 'config', public.audit_config((provider).config)))::public.audit_subject;

--
-- Name: alert_rules; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.alert_rules (
    tenant_id text NOT NULL,
    rule_id text NOT NULL,
    document json NOT NULL,
    enabled boolean NOT NULL,
    field text,
    created_by text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.alert_rules FORCE ROW LEVEL SECURITY;

--
-- Name: TABLE alert_rules; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.alert_rules IS 'Named conditions that policies share; the document is what the client sees.';

--
-- Name: audit_subject_of(public.alert_rules); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.audit_subject_of(rule public.alert_rules) RETURNS public.audit_subject
    LANGUAGE sql STABLE
    RETURN ROW((rule).tenant_id, (rule).rule_id, (rule).document)::public.audit_subject;

--
-- Name: alert_suppressions; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.alert_suppressions (
    tenant_id text NOT NULL,
    suppression_id text NOT NULL,
    document json NOT NULL,
    policy_id text,
    starts_at timestamp with time zone NOT NULL,
    suppressed_until timestamp with time zone NOT NULL,
    created_by text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT alert_suppressions_check CHECK ((suppressed_until > starts_at))
);

ALTER TABLE ONLY public.alert_suppressions FORCE ROW LEVEL SECURITY;

--
-- Name: TABLE alert_suppressions; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.alert_suppressions IS 'Times in which the alerts of one policy, or of all (policy_id NULL), are held back for events that fit the document.';

--
-- Name: audit_subject_of(public.alert_suppressions); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.audit_subject_of(suppression public.alert_suppressions) RETURNS public.audit_subject
    LANGUAGE sql STABLE
    RETURN ROW((suppression).tenant_id, (suppression).suppression_id, json_build_object('document', (suppression).document, 'starts_at', public.rfc3339((suppression).starts_at), 'suppressed_until', public.rfc3339((suppression).suppressed_until)))::public.audit_subject;

--
-- Name: alerts; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.alerts (
    tenant_id text NOT NULL,
    alert_id text NOT NULL,
    policy_id text NOT NULL,
    severity text NOT NULL,
    status text NOT NULL,
    title text NOT NULL,
    message text NOT NULL,
    summary text NOT NULL,
    event_data json NOT NULL,
    event_id text,
    throttle_key text NOT NULL,
    triggered_at timestamp with time zone NOT NULL,
    acknowledged_at timestamp with time zone,
    acknowledged_by text,
    resolved_at timestamp with time zone,
    resolved_by text,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT alerts_status_check CHECK ((status = ANY (ARRAY['active'::text, 'acknowledged'::text, 'resolved'::text, 'suppressed'::text])))
);

ALTER TABLE ONLY public.alerts FORCE ROW LEVEL SECURITY;

--
-- Name: TABLE alerts; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.alerts IS 'Outlives its policy: policy_id is no foreign key.';

--
-- Name: COLUMN alerts.event_data; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.alerts.event_data IS 'The event byte for byte as it came. json, not jsonb: that would refuse \u0000 and forget duplicate keys.';

--
-- Name: audit_subject_of(public.alerts); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.audit_subject_of(alert public.alerts) RETURNS public.audit_subject
    LANGUAGE sql STABLE
    RETURN ROW((alert).tenant_id, (alert).alert_id, json_build_object('policy_id', (alert).policy_id, 'severity', (alert).severity, 'status', (alert).status, 'acknowledged_at', public.rfc3339((alert).acknowledged_at), 'acknowledged_by', (alert).acknowledged_by, 'resolved_at', public.rfc3339((alert).resolved_at), 'resolved_by', (alert).resolved_by))::public.audit_subject;

--
-- Name: api_keys; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.api_keys (
    tenant_id text NOT NULL,
    key_id text NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    digest bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    revoked_at timestamp with time zone,
    created_by text,
    expires_at timestamp with time zone,
    allowed_cidrs text[] DEFAULT '{}'::text[] NOT NULL,
    successor_id text,
    last_used_at timestamp with time zone,
    CONSTRAINT api_keys_expires_at_check CHECK ((expires_at > created_at)),
    CONSTRAINT api_keys_role_check CHECK ((role = ANY (ARRAY['ingest'::text, 'viewer'::text, 'operator'::text, 'admin'::text])))
);

ALTER TABLE ONLY public.api_keys FORCE ROW LEVEL SECURITY;

--
-- Name: TABLE api_keys; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.api_keys IS 'The keys of the API: each belongs to one tenant and has one role.';

--
-- Name: COLUMN api_keys.digest; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.api_keys.digest IS 'SHA-256 of the key; the key itself is stored nowhere.';

--
-- Name: COLUMN api_keys.created_by; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.api_keys.created_by IS 'The key that made it; NULL for one that was made on the host.';

--
-- Name: COLUMN api_keys.allowed_cidrs; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.api_keys.allowed_cidrs IS 'The networks that it may be used from; none is from everywhere.';

--
-- Name: COLUMN api_keys.successor_id; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.api_keys.successor_id IS 'The key that it was replaced by, before it ended.';

--
-- Name: COLUMN api_keys.last_used_at; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.api_keys.last_used_at IS 'When it was last used, to some minutes: a use shortly after a use that is noted is not.';

--
-- Name: audit_subject_of(public.api_keys); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.audit_subject_of(key public.api_keys) RETURNS public.audit_subject
    LANGUAGE sql STABLE
    RETURN ROW((key).tenant_id, (key).key_id, json_build_object('name', (key).name, 'role', (key).role, 'allowed_cidrs', (key).allowed_cidrs, 'expires_at', public.rfc3339((key).expires_at), 'revoked_at', public.rfc3339((key).revoked_at), 'successor_id', (key).successor_id, 'created_by', (key).created_by))::public.audit_subject;

--
-- Name: audit_write(text, text, text, text, json, json); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.audit_write(tenant text, action text, kind text, id text, before json, after json) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
  actor_type text := nullif(current_setting('tocsin.actor_type', true), '');
BEGIN
  IF actor_type IS NULL THEN
    PERFORM audit_append(
      tenant, 'database', session_user, host(inet_client_addr()), action, kind, id, before, after);
  ELSE
    PERFORM audit_append(
      tenant, actor_type, nullif(current_setting('tocsin.actor', true), ''),
      nullif(current_setting('tocsin.address', true), ''), action, kind, id, before, after);
  END IF;
END
$$;

--
-- Name: bounded_key(text); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.bounded_key(key text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN (octet_length(key) <= 255) THEN key ELSE ('sha256:'::text || encode(sha256(convert_to(key, 'UTF8'::name)), 'hex'::text)) END;

--
-- Name: moment_of(bigint); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.moment_of(microseconds bigint) RETURNS timestamp with time zone
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN LEAST(('1970-01-01 00:00:00+00'::timestamp with time zone + ((microseconds)::double precision * '00:00:00.000001'::interval)), now());

--
-- Name: FUNCTION moment_of(microseconds bigint); Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON FUNCTION public.moment_of(microseconds bigint) IS 'A moment in microseconds since 1970, but none that is still to come; the present for NULL.';

--
-- Name: throttle_grant(bigint, integer, integer, bigint, timestamp with time zone, timestamp with time zone); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.throttle_grant(asked bigint, throttle_minutes integer, max_alerts_per_hour integer, raised_this_hour bigint, last_alert_at timestamp with time zone, at timestamp with time zone) RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN ((throttle_minutes > 0) AND ((last_alert_at + make_interval(mins => throttle_minutes)) > at)) THEN (0)::bigint ELSE LEAST(asked, (CASE WHEN (throttle_minutes > 0) THEN 1 ELSE NULL::integer END)::bigint, CASE WHEN (max_alerts_per_hour > 0) THEN GREATEST((max_alerts_per_hour - raised_this_hour), (0)::bigint) ELSE NULL::bigint END) END;

--
-- Name: window_is_open(timestamp with time zone, time without time zone, time without time zone, smallint[], text); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.window_is_open(at timestamp with time zone, window_start time without time zone, window_end time without time zone, window_days smallint[], window_timezone text) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (SELECT CASE WHEN (window_is_open.window_start < window_is_open.window_end) THEN (((local.minute >= window_is_open.window_start) AND (local.minute <= window_is_open.window_end)) AND (local.today = ANY (window_is_open.window_days))) ELSE (((local.minute >= window_is_open.window_start) AND (local.today = ANY (window_is_open.window_days))) OR ((local.minute < window_is_open.window_start) AND ((local.minute <= window_is_open.window_end) OR (window_is_open.window_start = window_is_open.window_end)) AND (((local.today + 6) % 7) = ANY (window_is_open.window_days)))) END AS "case" FROM (SELECT (date_trunc('minute'::text, (window_is_open.at AT TIME ZONE window_is_open.window_timezone)))::time without time zone AS minute, ((EXTRACT(isodow FROM (window_is_open.at AT TIME ZONE window_is_open.window_timezone)))::integer - 1) AS today) local);

--
-- Name: alert_admission_marks; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.alert_admission_marks (
    tenant_id text NOT NULL,
    producer uuid NOT NULL,
    sequence bigint NOT NULL,
    marked_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='50');

ALTER TABLE ONLY public.alert_admission_marks FORCE ROW LEVEL SECURITY;

--
-- Name: TABLE alert_admission_marks; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.alert_admission_marks IS 'The latest admission of each producer for each tenant, written together with its effects; a worker process is a producer for each of
the requests that it admits together. One that does not know whether an admission took effect makes no other under its name: the
mark stays for whoever admits the events later.';

--
-- Name: COLUMN alert_admission_marks.sequence; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.alert_admission_marks.sequence IS 'The number of the admission among those of its producer. It only grows: one that comes late finds a greater one and fails.';

--
-- Name: alert_decision_counts; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.alert_decision_counts (
    tenant_id text NOT NULL,
    policy_id text NOT NULL,
    hour timestamp with time zone NOT NULL,
    decision text NOT NULL,
    slot smallint NOT NULL,
    events bigint NOT NULL,
    CONSTRAINT alert_decision_counts_decision_check CHECK ((decision = ANY (ARRAY['raised'::text, 'throttled'::text, 'capped'::text, 'suppressed'::text, 'outside_window'::text])))
)
WITH (fillfactor='70');

ALTER TABLE ONLY public.alert_decision_counts FORCE ROW LEVEL SECURITY;

--
-- Name: TABLE alert_decision_counts; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.alert_decision_counts IS 'Everything that matched, counted by what was decided: the sum over the slots.';

--
-- Name: COLUMN alert_decision_counts.slot; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.alert_decision_counts.slot IS 'Each connection counts in one of several rows, so that statements about one policy do not wait for each other''s commit.';

--
-- Name: alert_decisions; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.alert_decisions (
    tenant_id text NOT NULL,
    policy_id text NOT NULL,
    event_id text NOT NULL,
    decision text NOT NULL,
    alert_id text,
    decided_at timestamp with time zone NOT NULL,
    CONSTRAINT alert_decisions_decision_check CHECK ((decision = ANY (ARRAY['raised'::text, 'throttled'::text, 'capped'::text, 'suppressed'::text, 'outside_window'::text])))
);

ALTER TABLE ONLY public.alert_decisions FORCE ROW LEVEL SECURITY;

--
-- Name: TABLE alert_decisions; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.alert_decisions IS 'What became of each matched event that carries an event_id: makes a repeat harmless, and answers an auditor.';

--
-- Name: alert_delivery_attempts; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.alert_delivery_attempts (
    tenant_id text NOT NULL,
    delivery_id uuid NOT NULL,
    attempt integer NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    status integer,
    answer text,
    verdict text NOT NULL,
    reason text,
    CONSTRAINT alert_delivery_attempts_verdict_check CHECK ((verdict = ANY (ARRAY['sent'::text, 'retry'::text, 'rejected'::text, 'unknown'::text])))
);

ALTER TABLE ONLY public.alert_delivery_attempts FORCE ROW LEVEL SECURITY;

--
-- Name: TABLE alert_delivery_attempts; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.alert_delivery_attempts IS 'Each attempt at a delivery, written when it has ended.';

--
-- Name: COLUMN alert_delivery_attempts.answer; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.alert_delivery_attempts.answer IS 'The beginning of what the receiver answered, secrets cut out.';

--
-- Name: COLUMN alert_delivery_attempts.verdict; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.alert_delivery_attempts.verdict IS 'unknown: the process that made the attempt ended before it could write what came of it; ended_at is NULL.';

--
-- Name: alert_held_back; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.alert_held_back (
    tenant_id text NOT NULL,
    policy_id text NOT NULL,
    throttle_key text NOT NULL,
    events bigint NOT NULL,
    alert_id text NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    due_at timestamp with time zone NOT NULL
)
WITH (fillfactor='70');

ALTER TABLE ONLY public.alert_held_back FORCE ROW LEVEL SECURITY;

--
-- Name: TABLE alert_held_back; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.alert_held_back IS 'What was held back of each policy with a digest since its last one, by throttle key. The rows of a policy are its window: it
opens with the first of them and is told, and they deleted, when the first is due.';

--
-- Name: COLUMN alert_held_back.alert_id; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.alert_held_back.alert_id IS 'The alert that the latest of the events were folded into.';

--
-- Name: alert_job_runs; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.alert_job_runs (
    job text NOT NULL,
    host text NOT NULL,
    ran_at timestamp with time zone DEFAULT now() NOT NULL,
    token text,
    warnings text[] DEFAULT '{}'::text[] NOT NULL
)
WITH (fillfactor='50');

--
-- Name: TABLE alert_job_runs; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.alert_job_runs IS 'When each job last ran, on each host.';

--
-- Name: COLUMN alert_job_runs.host; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.alert_job_runs.host IS 'Empty: no host has run it yet, and it is awaited since then.';

--
-- Name: COLUMN alert_job_runs.token; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.alert_job_runs.token IS 'What the last probe of the storage wrote, for it to read back.';

--
-- Name: COLUMN alert_job_runs.warnings; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.alert_job_runs.warnings IS 'What the checker of that host last found worth a warning.';

--
-- Name: alert_provider_health; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.alert_provider_health (
    tenant_id text NOT NULL,
    provider_id text NOT NULL,
    failures integer DEFAULT 0 NOT NULL,
    failing_since timestamp with time zone,
    open_until timestamp with time zone,
    report_alert_id text,
    paced_until timestamp with time zone,
    gone_reason text,
    earlier_reports text[] DEFAULT '{}'::text[] NOT NULL,
    ended_reports text[] DEFAULT '{}'::text[] NOT NULL
)
WITH (fillfactor='70');

ALTER TABLE ONLY public.alert_provider_health FORCE ROW LEVEL SECURITY;

--
-- Name: TABLE alert_provider_health; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.alert_provider_health IS 'How a provider''s receiver is doing, for all processes that deliver. No row: nothing is known against it.';

--
-- Name: COLUMN alert_provider_health.failures; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.alert_provider_health.failures IS 'Attempts in a row that found the receiver down. At 5 the breaker opens; from then on only failed probes count.';

--
-- Name: COLUMN alert_provider_health.open_until; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.alert_provider_health.open_until IS 'The breaker: until then nothing is sent; then one delivery is tried as a probe, and its end closes the breaker or opens it
again. While a probe is under way it is the end of the probe''s lease.';

--
-- Name: COLUMN alert_provider_health.report_alert_id; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.alert_provider_health.report_alert_id IS 'The alert that told the tenant''s other providers of this outage, which ends with the next delivery that succeeds.';

--
-- Name: COLUMN alert_provider_health.paced_until; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.alert_provider_health.paced_until IS 'When the next delivery may be sent by the pace that the receiver allows.';

--
-- Name: COLUMN alert_provider_health.gone_reason; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.alert_provider_health.gone_reason IS 'Why the provider was switched off by its receiver''s own word.';

--
-- Name: COLUMN alert_provider_health.earlier_reports; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.alert_provider_health.earlier_reports IS 'Reports from before the provider was last changed: they end with the next delivery that succeeds, like report_alert_id.';

--
-- Name: COLUMN alert_provider_health.ended_reports; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.alert_provider_health.ended_reports IS 'Reports whose outage is over and which have yet to be resolved. That is another statement: the one that finds the receiver up
again may not see the report yet.';

--
-- Name: alert_repeats; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.alert_repeats (
    tenant_id text NOT NULL,
    alert_id text NOT NULL,
    events bigint NOT NULL,
    last_event_at timestamp with time zone NOT NULL
)
WITH (fillfactor='70');

ALTER TABLE ONLY public.alert_repeats FORCE ROW LEVEL SECURITY;

--
-- Name: TABLE alert_repeats; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.alert_repeats IS 'Events that were held back while an alert of their key was open. A table of its own, because an upsert reaches the row that a
concurrent statement has just committed, where an UPDATE of alerts would not see the alert yet.';

--
-- Name: alert_spool_replays; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.alert_spool_replays (
    tenant_id text NOT NULL,
    segment text NOT NULL,
    replayed_to bigint NOT NULL,
    replayed_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.alert_spool_replays FORCE ROW LEVEL SECURITY;

--
-- Name: TABLE alert_spool_replays; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.alert_spool_replays IS 'How far each segment of a host''s spool has been replayed for each tenant, written together with the effects. A row goes when
its segment has.';

--
-- Name: COLUMN alert_spool_replays.replayed_to; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.alert_spool_replays.replayed_to IS 'Where in the segment the tenant''s next record may begin, in bytes: its records before that have had their effects.';

--
-- Name: alert_throttles; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.alert_throttles (
    tenant_id text NOT NULL,
    policy_id text NOT NULL,
    throttle_key text NOT NULL,
    is_suppressed boolean NOT NULL,
    asked bigint NOT NULL,
    granted bigint NOT NULL,
    throttle_minutes integer NOT NULL,
    max_alerts_per_hour integer NOT NULL,
    hour timestamp with time zone NOT NULL,
    hour_count bigint NOT NULL,
    last_alert_at timestamp with time zone NOT NULL,
    alert_id text NOT NULL
)
WITH (fillfactor='70');

ALTER TABLE ONLY public.alert_throttles FORCE ROW LEVEL SECURITY;

--
-- Name: TABLE alert_throttles; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.alert_throttles IS 'One row per policy, throttle key and lane; its lock is what makes throttle and cap exact. asked, granted and the two limits
are those of the latest statement, there for its upsert to compute with.';

--
-- Name: COLUMN alert_throttles.is_suppressed; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.alert_throttles.is_suppressed IS 'Suppressed alerts have a lane of their own, so that they neither flood nor use up what the next real alert needs.';

--
-- Name: audit_anchors; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.audit_anchors (
    tenant_id text NOT NULL,
    seq bigint NOT NULL,
    anchored_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='50');

ALTER TABLE ONLY public.audit_anchors FORCE ROW LEVEL SECURITY;

--
-- Name: TABLE audit_anchors; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.audit_anchors IS 'The head of each tenant''s chain that was last sent outside, where it is kept as an anchor.';

--
-- Name: audit_chains; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.audit_chains (
    tenant_id text NOT NULL,
    seq bigint DEFAULT 0 NOT NULL,
    hash bytea DEFAULT decode(repeat('00'::text, 32), 'hex'::text) NOT NULL,
    archived_seq bigint DEFAULT 0 NOT NULL,
    archived_hash bytea DEFAULT decode(repeat('00'::text, 32), 'hex'::text) NOT NULL,
    CONSTRAINT audit_chains_check CHECK ((archived_seq <= seq))
)
WITH (fillfactor='50');

ALTER TABLE ONLY public.audit_chains FORCE ROW LEVEL SECURITY;

--
-- Name: TABLE audit_chains; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.audit_chains IS 'The end of each tenant''s chain; the lock of the row is what makes it one chain. Of calls without a known key the tenant is empty.';

--
-- Name: COLUMN audit_chains.archived_seq; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.audit_chains.archived_seq IS 'Up to this row the chain is in archives and may be deleted here.';

--
-- Name: audit_exports; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.audit_exports (
    tenant_id text NOT NULL,
    seq bigint NOT NULL,
    exported_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='50');

ALTER TABLE ONLY public.audit_exports FORCE ROW LEVEL SECURITY;

--
-- Name: TABLE audit_exports; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.audit_exports IS 'Up to which entry the audit log of each tenant has been sent to the syslog server.';

--
-- Name: audit_refusals; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.audit_refusals (
    tenant_id text NOT NULL,
    minute timestamp with time zone NOT NULL,
    actor_type text NOT NULL,
    actor text NOT NULL,
    address text NOT NULL,
    status integer NOT NULL,
    calls bigint NOT NULL,
    last_at timestamp with time zone NOT NULL
)
WITH (fillfactor='50');

ALTER TABLE ONLY public.audit_refusals FORCE ROW LEVEL SECURITY;

--
-- Name: TABLE audit_refusals; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.audit_refusals IS 'Refused calls of the minute, counted: the first of each caller is in the audit log at once, the others when the minute is over.';

--
-- Name: job_leases; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.job_leases (
    job text NOT NULL,
    holder text NOT NULL,
    leased_until timestamp with time zone NOT NULL
)
WITH (fillfactor='50');

--
-- Name: TABLE job_leases; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.job_leases IS 'Which process does what only one should do at a time, on whatever host. It is anybody''s when the time is over.';

--
-- Name: schema_migrations; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.schema_migrations (
    version integer NOT NULL,
    name text NOT NULL,
    checksum bytea NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

--
-- Name: tenants; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.tenants (
    tenant_id text NOT NULL,
    policy_epoch bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.tenants FORCE ROW LEVEL SECURITY;

--
-- Name: TABLE tenants; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.tenants IS 'Whose policies and alerts are kept apart.';

--
-- Name: COLUMN tenants.policy_epoch; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.tenants.policy_epoch IS 'Grows with every change to the tenant''s policies, rules and suppressions; workers keep what they compiled until it does.';

--
-- Name: alert_admission_marks alert_admission_marks_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alert_admission_marks
    ADD CONSTRAINT alert_admission_marks_pkey PRIMARY KEY (tenant_id, producer);

--
-- Name: alert_decision_counts alert_decision_counts_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alert_decision_counts
    ADD CONSTRAINT alert_decision_counts_pkey PRIMARY KEY (tenant_id, policy_id, hour, decision, slot);

--
-- Name: alert_decisions alert_decisions_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alert_decisions
    ADD CONSTRAINT alert_decisions_pkey PRIMARY KEY (tenant_id, policy_id, event_id);

--
-- Name: alert_deliveries alert_deliveries_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alert_deliveries
    ADD CONSTRAINT alert_deliveries_pkey PRIMARY KEY (tenant_id, delivery_id);

--
-- Name: alert_delivery_attempts alert_delivery_attempts_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alert_delivery_attempts
    ADD CONSTRAINT alert_delivery_attempts_pkey PRIMARY KEY (tenant_id, delivery_id, attempt);

--
-- Name: alert_held_back alert_held_back_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alert_held_back
    ADD CONSTRAINT alert_held_back_pkey PRIMARY KEY (tenant_id, policy_id, throttle_key);

--
-- Name: alert_job_runs alert_job_runs_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alert_job_runs
    ADD CONSTRAINT alert_job_runs_pkey PRIMARY KEY (job, host);

--
-- Name: alert_policies alert_policies_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alert_policies
    ADD CONSTRAINT alert_policies_pkey PRIMARY KEY (tenant_id, policy_id);

--
-- Name: alert_provider_health alert_provider_health_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alert_provider_health
    ADD CONSTRAINT alert_provider_health_pkey PRIMARY KEY (tenant_id, provider_id);

--
-- Name: alert_providers alert_providers_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alert_providers
    ADD CONSTRAINT alert_providers_pkey PRIMARY KEY (tenant_id, provider_id);

--
-- Name: alert_repeats alert_repeats_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alert_repeats
    ADD CONSTRAINT alert_repeats_pkey PRIMARY KEY (tenant_id, alert_id);

--
-- Name: alert_rules alert_rules_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alert_rules
    ADD CONSTRAINT alert_rules_pkey PRIMARY KEY (tenant_id, rule_id);

--
-- Name: alert_spool_replays alert_spool_replays_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alert_spool_replays
    ADD CONSTRAINT alert_spool_replays_pkey PRIMARY KEY (tenant_id, segment);

--
-- Name: alert_suppressions alert_suppressions_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alert_suppressions
    ADD CONSTRAINT alert_suppressions_pkey PRIMARY KEY (tenant_id, suppression_id);

--
-- Name: alert_throttles alert_throttles_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alert_throttles
    ADD CONSTRAINT alert_throttles_pkey PRIMARY KEY (tenant_id, policy_id, throttle_key, is_suppressed);

--
-- Name: alerts alerts_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alerts
    ADD CONSTRAINT alerts_pkey PRIMARY KEY (tenant_id, alert_id);

--
-- Name: api_keys api_keys_digest_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_digest_key UNIQUE (digest);

--
-- Name: api_keys api_keys_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (tenant_id, key_id);

--
-- Name: audit_anchors audit_anchors_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audit_anchors
    ADD CONSTRAINT audit_anchors_pkey PRIMARY KEY (tenant_id);

--
-- Name: audit_chains audit_chains_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audit_chains
    ADD CONSTRAINT audit_chains_pkey PRIMARY KEY (tenant_id);

--
-- Name: audit_exports audit_exports_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audit_exports
    ADD CONSTRAINT audit_exports_pkey PRIMARY KEY (tenant_id);

--
-- Name: audit_log audit_log_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audit_log
    ADD CONSTRAINT audit_log_pkey PRIMARY KEY (tenant_id, seq);

--
-- Name: audit_refusals audit_refusals_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audit_refusals
    ADD CONSTRAINT audit_refusals_pkey PRIMARY KEY (tenant_id, minute, actor_type, actor, address, status);

--
-- Name: job_leases job_leases_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.job_leases
    ADD CONSTRAINT job_leases_pkey PRIMARY KEY (job);

--
-- Name: schema_migrations schema_migrations_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);

--
-- Name: tenants tenants_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.tenants
    ADD CONSTRAINT tenants_pkey PRIMARY KEY (tenant_id);

--
-- Name: alert_deliveries_due; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX alert_deliveries_due ON public.alert_deliveries USING btree (provider_id, tenant_id, next_attempt_at) WHERE (state = 'pending'::text);

--
-- Name: alert_deliveries_given_up; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX alert_deliveries_given_up ON public.alert_deliveries USING btree (tenant_id COLLATE "C", created_at DESC, delivery_id DESC) WHERE (state = ANY (ARRAY['failed'::text, 'dead'::text]));

--
-- Name: alert_deliveries_newest_first; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX alert_deliveries_newest_first ON public.alert_deliveries USING btree (tenant_id COLLATE "C", created_at DESC, delivery_id DESC);

--
-- Name: alert_deliveries_of_alert; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX alert_deliveries_of_alert ON public.alert_deliveries USING btree (alert_id);

--
-- Name: alert_deliveries_of_provider; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX alert_deliveries_of_provider ON public.alert_deliveries USING btree (provider_id COLLATE "C", tenant_id COLLATE "C", created_at DESC, delivery_id DESC);

--
-- Name: alert_held_back_due; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX alert_held_back_due ON public.alert_held_back USING btree (due_at);

--
-- Name: alert_provider_health_ended; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX alert_provider_health_ended ON public.alert_provider_health USING btree (provider_id) WHERE (ended_reports <> '{}'::text[]);

--
-- Name: alert_spool_replays_segment; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX alert_spool_replays_segment ON public.alert_spool_replays USING btree (segment);

--
-- Name: alerts_newest_first; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX alerts_newest_first ON public.alerts USING btree (tenant_id COLLATE "C", triggered_at DESC, alert_id DESC);

--
-- Name: alerts_open; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX alerts_open ON public.alerts USING btree (policy_id, tenant_id, throttle_key) WHERE (status = ANY (ARRAY['active'::text, 'acknowledged'::text]));

--
-- Name: audit_log_subject; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX audit_log_subject ON public.audit_log USING btree (tenant_id, kind, id, seq);

--
-- Name: audit_log_time; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX audit_log_time ON public.audit_log USING btree (tenant_id, at);

--
-- Name: audit_log append_only; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.audit_log FOR EACH ROW EXECUTE FUNCTION public.audit_log_is_append_only();

--
-- Name: audit_log append_only_truncate; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON public.audit_log FOR EACH STATEMENT EXECUTE FUNCTION public.audit_log_is_append_only();

--
-- Name: alert_policies audit; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER audit AFTER INSERT OR DELETE OR UPDATE ON public.alert_policies FOR EACH ROW EXECUTE FUNCTION public.audit_change('policy');

--
-- Name: alert_providers audit; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER audit AFTER INSERT OR DELETE OR UPDATE ON public.alert_providers FOR EACH ROW EXECUTE FUNCTION public.audit_change('provider');

--
-- Name: alert_rules audit; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER audit AFTER INSERT OR DELETE OR UPDATE ON public.alert_rules FOR EACH ROW EXECUTE FUNCTION public.audit_change('rule');

--
-- Name: alert_suppressions audit; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER audit AFTER INSERT OR DELETE OR UPDATE ON public.alert_suppressions FOR EACH ROW EXECUTE FUNCTION public.audit_change('suppression');

--
-- Name: api_keys audit; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER audit AFTER INSERT OR DELETE ON public.api_keys FOR EACH ROW EXECUTE FUNCTION public.audit_change('key');

--
-- Name: alerts audit_acknowledge; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER audit_acknowledge AFTER UPDATE OF status ON public.alerts FOR EACH ROW WHEN (((old.status <> new.status) AND (new.status = 'acknowledged'::text))) EXECUTE FUNCTION public.audit_change('alert', 'acknowledge');

--
-- Name: alerts audit_resolve; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER audit_resolve AFTER UPDATE OF status ON public.alerts FOR EACH ROW WHEN (((old.status <> new.status) AND (new.status = 'resolved'::text))) EXECUTE FUNCTION public.audit_change('alert', 'resolve');

--
-- Name: alert_deliveries audit_retry; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER audit_retry AFTER UPDATE OF retried_at ON public.alert_deliveries FOR EACH ROW EXECUTE FUNCTION public.audit_change('delivery', 'retry');

--
-- Name: api_keys audit_revoke; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER audit_revoke AFTER UPDATE OF revoked_at ON public.api_keys FOR EACH ROW WHEN ((old.revoked_at IS DISTINCT FROM new.revoked_at)) EXECUTE FUNCTION public.audit_change('key', 'revoke');

--
-- Name: api_keys audit_rotate; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER audit_rotate AFTER UPDATE OF successor_id ON public.api_keys FOR EACH ROW WHEN ((old.successor_id IS DISTINCT FROM new.successor_id)) EXECUTE FUNCTION public.audit_change('key', 'rotate');

--
-- Name: alert_policies audit_truncate; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON public.alert_policies FOR EACH STATEMENT EXECUTE FUNCTION public.audit_no_truncation();

--
-- Name: alert_providers audit_truncate; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON public.alert_providers FOR EACH STATEMENT EXECUTE FUNCTION public.audit_no_truncation();

--
-- Name: alert_rules audit_truncate; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON public.alert_rules FOR EACH STATEMENT EXECUTE FUNCTION public.audit_no_truncation();

--
-- Name: alert_suppressions audit_truncate; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON public.alert_suppressions FOR EACH STATEMENT EXECUTE FUNCTION public.audit_no_truncation();

--
-- Name: api_keys audit_truncate; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON public.api_keys FOR EACH STATEMENT EXECUTE FUNCTION public.audit_no_truncation();

--
-- Name: api_keys audit_update; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER audit_update AFTER UPDATE OF tenant_id, key_id, name, role, digest, expires_at, allowed_cidrs ON public.api_keys FOR EACH ROW WHEN ((NOT (old.successor_id IS DISTINCT FROM new.successor_id))) EXECUTE FUNCTION public.audit_change('key');

--
-- Name: audit_chains only_grows; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER only_grows BEFORE DELETE OR UPDATE ON public.audit_chains FOR EACH ROW EXECUTE FUNCTION public.audit_chain_only_grows();

--
-- Name: audit_chains only_grows_truncate; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER only_grows_truncate BEFORE TRUNCATE ON public.audit_chains FOR EACH STATEMENT EXECUTE FUNCTION public.audit_chain_only_grows();

--
-- Name: alert_admission_marks alert_admission_marks_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alert_admission_marks
    ADD CONSTRAINT alert_admission_marks_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id);

--
-- Name: alert_policies alert_policies_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alert_policies
    ADD CONSTRAINT alert_policies_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id);

--
-- Name: alert_providers alert_providers_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alert_providers
    ADD CONSTRAINT alert_providers_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id);

--
-- Name: alert_rules alert_rules_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alert_rules
    ADD CONSTRAINT alert_rules_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id);

--
-- Name: alert_spool_replays alert_spool_replays_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alert_spool_replays
    ADD CONSTRAINT alert_spool_replays_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id);

--
-- Name: alert_suppressions alert_suppressions_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alert_suppressions
    ADD CONSTRAINT alert_suppressions_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id);

--
-- Name: api_keys api_keys_successor_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_successor_fkey FOREIGN KEY (tenant_id, successor_id) REFERENCES public.api_keys(tenant_id, key_id);

--
-- Name: api_keys api_keys_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id);

--
-- Name: alert_admission_marks; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.alert_admission_marks ENABLE ROW LEVEL SECURITY;

--
-- Name: alert_decision_counts; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.alert_decision_counts ENABLE ROW LEVEL SECURITY;

--
-- Name: alert_decisions; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.alert_decisions ENABLE ROW LEVEL SECURITY;

--
-- Name: alert_deliveries; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.alert_deliveries ENABLE ROW LEVEL SECURITY;

--
-- Name: alert_delivery_attempts; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.alert_delivery_attempts ENABLE ROW LEVEL SECURITY;

--
-- Name: alert_held_back; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.alert_held_back ENABLE ROW LEVEL SECURITY;

--
-- Name: alert_policies; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.alert_policies ENABLE ROW LEVEL SECURITY;

--
-- Name: alert_provider_health; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.alert_provider_health ENABLE ROW LEVEL SECURITY;

--
-- Name: alert_providers; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.alert_providers ENABLE ROW LEVEL SECURITY;

--
-- Name: alert_repeats; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.alert_repeats ENABLE ROW LEVEL SECURITY;

--
-- Name: alert_rules; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.alert_rules ENABLE ROW LEVEL SECURITY;

--
-- Name: alert_spool_replays; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.alert_spool_replays ENABLE ROW LEVEL SECURITY;

--
-- Name: alert_suppressions; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.alert_suppressions ENABLE ROW LEVEL SECURITY;

--
-- Name: alert_throttles; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.alert_throttles ENABLE ROW LEVEL SECURITY;

--
-- Name: alerts; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.alerts ENABLE ROW LEVEL SECURITY;

--
-- Name: api_keys; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.api_keys ENABLE ROW LEVEL SECURITY;

--
-- Name: audit_anchors; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.audit_anchors ENABLE ROW LEVEL SECURITY;

--
-- Name: audit_chains; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.audit_chains ENABLE ROW LEVEL SECURITY;

--
-- Name: audit_exports; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.audit_exports ENABLE ROW LEVEL SECURITY;

--
-- Name: audit_log; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.audit_log ENABLE ROW LEVEL SECURITY;

--
-- Name: audit_refusals; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.audit_refusals ENABLE ROW LEVEL SECURITY;

--
-- Name: alert_admission_marks every_tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY every_tenant ON public.alert_admission_marks TO tocsin_deliver USING (true);

--
-- Name: alert_decision_counts every_tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY every_tenant ON public.alert_decision_counts TO tocsin_deliver, tocsin_operator USING (true);

--
-- Name: alert_decisions every_tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY every_tenant ON public.alert_decisions TO tocsin_deliver USING (true);

--
-- Name: alert_deliveries every_tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY every_tenant ON public.alert_deliveries TO tocsin_check_storage, tocsin_deliver, tocsin_operator USING (true);

--
-- Name: alert_delivery_attempts every_tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY every_tenant ON public.alert_delivery_attempts TO tocsin_deliver USING (true);

--
-- Name: alert_held_back every_tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY every_tenant ON public.alert_held_back TO tocsin_deliver USING (true);

--
-- Name: alert_policies every_tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY every_tenant ON public.alert_policies TO tocsin_deliver, tocsin_operator USING (true);

--
-- Name: alert_provider_health every_tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY every_tenant ON public.alert_provider_health TO tocsin_check_storage, tocsin_deliver USING (true);

--
-- Name: alert_providers every_tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY every_tenant ON public.alert_providers TO tocsin_check_storage, tocsin_deliver, tocsin_operator USING (true);

--
-- Name: alert_spool_replays every_tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY every_tenant ON public.alert_spool_replays TO tocsin_replay USING (true);

--
-- Name: alert_throttles every_tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY every_tenant ON public.alert_throttles TO tocsin_deliver USING (true);

--
-- Name: alerts every_tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY every_tenant ON public.alerts TO tocsin_deliver, tocsin_operator USING (true);

--
-- Name: api_keys every_tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY every_tenant ON public.api_keys TO tocsin_replay, tocsin_operator, tocsin_programs, tocsin_key_check USING (true);

--
-- Name: audit_anchors every_tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY every_tenant ON public.audit_anchors TO tocsin_export_audit USING (true);

--
-- Name: audit_chains every_tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY every_tenant ON public.audit_chains TO tocsin_operator, tocsin_auditor, tocsin_export_audit USING (true);

--
-- Name: audit_exports every_tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY every_tenant ON public.audit_exports TO tocsin_operator, tocsin_export_audit USING (true);

--
-- Name: audit_log every_tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY every_tenant ON public.audit_log TO tocsin_operator, tocsin_auditor, tocsin_export_audit USING (true);

--
-- Name: audit_refusals every_tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY every_tenant ON public.audit_refusals TO tocsin_auditor USING (true);

--
-- Name: tenants every_tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY every_tenant ON public.tenants TO tocsin_operator, tocsin_programs, tocsin_key_check USING (true);

--
-- Name: alert_admission_marks tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant ON public.alert_admission_marks USING (COALESCE((tenant_id = current_setting('tocsin.tenant'::text)), false));

--
-- Name: alert_decision_counts tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant ON public.alert_decision_counts USING (COALESCE((tenant_id = current_setting('tocsin.tenant'::text)), false));

--
-- Name: alert_decisions tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant ON public.alert_decisions USING (COALESCE((tenant_id = current_setting('tocsin.tenant'::text)), false));

--
-- Name: alert_deliveries tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant ON public.alert_deliveries USING (COALESCE((tenant_id = current_setting('tocsin.tenant'::text)), false));

--
-- Name: alert_delivery_attempts tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant ON public.alert_delivery_attempts USING (COALESCE((tenant_id = current_setting('tocsin.tenant'::text)), false));

--
-- Name: alert_held_back tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant ON public.alert_held_back USING (COALESCE((tenant_id = current_setting('tocsin.tenant'::text)), false));

--
-- Name: alert_policies tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant ON public.alert_policies USING (COALESCE((tenant_id = current_setting('tocsin.tenant'::text)), false));

--
-- Name: alert_provider_health tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant ON public.alert_provider_health USING (COALESCE((tenant_id = current_setting('tocsin.tenant'::text)), false));

--
-- Name: alert_providers tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant ON public.alert_providers USING (COALESCE((tenant_id = current_setting('tocsin.tenant'::text)), false));

--
-- Name: alert_repeats tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant ON public.alert_repeats USING (COALESCE((tenant_id = current_setting('tocsin.tenant'::text)), false));

--
-- Name: alert_rules tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant ON public.alert_rules USING (COALESCE((tenant_id = current_setting('tocsin.tenant'::text)), false));

--
-- Name: alert_spool_replays tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant ON public.alert_spool_replays USING (COALESCE((tenant_id = current_setting('tocsin.tenant'::text)), false));

--
-- Name: alert_suppressions tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant ON public.alert_suppressions USING (COALESCE((tenant_id = current_setting('tocsin.tenant'::text)), false));

--
-- Name: alert_throttles tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant ON public.alert_throttles USING (COALESCE((tenant_id = current_setting('tocsin.tenant'::text)), false));

--
-- Name: alerts tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant ON public.alerts USING (COALESCE((tenant_id = current_setting('tocsin.tenant'::text)), false));

--
-- Name: api_keys tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant ON public.api_keys USING (COALESCE((tenant_id = current_setting('tocsin.tenant'::text)), false));

--
-- Name: audit_anchors tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant ON public.audit_anchors USING (COALESCE((tenant_id = NULLIF(current_setting('tocsin.tenant'::text), ''::text)), false));

--
-- Name: audit_chains tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant ON public.audit_chains USING (COALESCE((tenant_id = NULLIF(current_setting('tocsin.tenant'::text), ''::text)), false));

--
-- Name: audit_exports tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant ON public.audit_exports USING (COALESCE((tenant_id = NULLIF(current_setting('tocsin.tenant'::text), ''::text)), false));

--
-- Name: audit_log tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant ON public.audit_log USING (COALESCE((tenant_id = NULLIF(current_setting('tocsin.tenant'::text), ''::text)), false));

--
-- Name: audit_refusals tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant ON public.audit_refusals USING (COALESCE((tenant_id = NULLIF(current_setting('tocsin.tenant'::text), ''::text)), false));

--
-- Name: tenants tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant ON public.tenants USING (COALESCE((tenant_id = current_setting('tocsin.tenant'::text)), false));

--
-- Name: tenants; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.tenants ENABLE ROW LEVEL SECURITY;

--
-- PostgreSQL database dump complete
--

