BEGIN TRANSACTION;

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

GO

-- Running upgrade  -> 0001

CREATE TABLE audit_event (
    id BIGINT NOT NULL IDENTITY,
    at DATETIME2(6) NOT NULL,
    actor NVARCHAR(max) NOT NULL,
    action NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    entity NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    entity_key NVARCHAR(330) COLLATE Latin1_General_100_BIN2 NOT NULL,
    was NVARCHAR(max) NULL,
    became NVARCHAR(max) NULL,
    reason NVARCHAR(max) NULL,
    correlation_id NVARCHAR(max) NULL,
    CONSTRAINT pk_audit_event PRIMARY KEY (id)
);

GO

CREATE INDEX ix_audit_event_at ON audit_event (at);

GO

CREATE INDEX ix_audit_event_entity_entity_key ON audit_event (entity, entity_key);

GO

CREATE TABLE crosswalk (
    system NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    entity NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    legacy_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    row_id UNIQUEIDENTIFIER NOT NULL,
    state NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    reserved_at DATETIME2(6) NOT NULL,
    paired_at DATETIME2(6) NULL,
    CONSTRAINT pk_crosswalk PRIMARY KEY (system, entity, legacy_id)
);

GO

CREATE INDEX ix_crosswalk_legacy_id ON crosswalk (legacy_id);

GO

CREATE INDEX ix_crosswalk_row_id ON crosswalk (row_id);

GO

CREATE TABLE failure_group (
    fingerprint NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    kind NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    code NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    answer NVARCHAR(max) NULL,
    table_name NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    field NVARCHAR(max) NULL,
    [rule] NVARCHAR(max) NOT NULL,
    first_seen_at DATETIME2(6) NOT NULL,
    last_seen_at DATETIME2(6) NOT NULL,
    ticket_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    tickets INTEGER NOT NULL,
    CONSTRAINT pk_failure_group PRIMARY KEY (fingerprint)
);

GO

CREATE TABLE job_lease (
    name NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    owner NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    lease_until DATETIME2(6) NOT NULL,
    fence BIGINT NOT NULL,
    CONSTRAINT pk_job_lease PRIMARY KEY (name)
);

GO

CREATE TABLE lane (
    record UNIQUEIDENTIFIER NOT NULL,
    fence BIGINT NOT NULL,
    owner NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    lease_until DATETIME2(6) NULL,
    version BIGINT NOT NULL,
    CONSTRAINT pk_lane PRIMARY KEY (record)
);

GO

CREATE TABLE message (
    number BIGINT NOT NULL IDENTITY,
    message_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    original_id NVARCHAR(max) NULL,
    queue NVARCHAR(260) COLLATE Latin1_General_100_BIN2 NOT NULL,
    body_hash VARBINARY(32) NOT NULL,
    is_first BIT NOT NULL,
    session_id NVARCHAR(max) NULL,
    body VARBINARY(max) NULL,
    properties NVARCHAR(max) NULL,
    application_properties NVARCHAR(max) NULL,
    position BIGINT NOT NULL,
    delivery_count INTEGER NOT NULL,
    sender NVARCHAR(max) NULL,
    received_at DATETIME2(6) NOT NULL,
    source NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NULL,
    entity NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    source_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    operation NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL,
    changed_at DATETIME2(6) NULL,
    version BIGINT NULL,
    actor NVARCHAR(max) NULL,
    correlation_id NVARCHAR(max) NULL,
    record UNIQUEIDENTIFIER NULL,
    outcome NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL,
    reason NVARCHAR(max) NULL,
    faults NVARCHAR(max) NULL,
    finished_at DATETIME2(6) NULL,
    is_reopened BIT NOT NULL,
    CONSTRAINT pk_message PRIMARY KEY (number),
    CONSTRAINT uq_message_message_id_queue_body_hash UNIQUE (message_id, queue, body_hash)
);

GO

CREATE INDEX ix_message_received_at ON message (received_at);

GO

CREATE INDEX ix_message_record ON message (record);

GO

CREATE INDEX ix_message_source_id_entity_source ON message (source_id, entity, source);

GO

CREATE UNIQUE INDEX uq_message_first ON message (message_id, queue) WHERE is_first = 1;

GO

CREATE TABLE shadow (
    record UNIQUEIDENTIFIER NOT NULL,
    document NVARCHAR(max) NOT NULL,
    deleted_at DATETIME2(6) NULL,
    fence BIGINT NOT NULL,
    saved_at DATETIME2(6) NOT NULL,
    CONSTRAINT pk_shadow PRIMARY KEY (record)
);

GO

CREATE TABLE watermark (
    name NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    position NVARCHAR(max) NOT NULL,
    moved_at DATETIME2(6) NOT NULL,
    version BIGINT NOT NULL,
    CONSTRAINT pk_watermark PRIMARY KEY (name)
);

GO

CREATE TABLE conflict (
    id BIGINT NOT NULL IDENTITY,
    number BIGINT NOT NULL,
    record UNIQUEIDENTIFIER NOT NULL,
    at DATETIME2(6) NOT NULL,
    column_name NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    base NVARCHAR(max) NOT NULL,
    inbound NVARCHAR(max) NOT NULL,
    outbound NVARCHAR(max) NOT NULL,
    winner NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    [rule] NVARCHAR(max) NOT NULL,
    CONSTRAINT pk_conflict PRIMARY KEY (id),
    CONSTRAINT fk_conflict_number FOREIGN KEY(number) REFERENCES message (number)
);

GO

CREATE INDEX ix_conflict_number ON conflict (number);

GO

CREATE INDEX ix_conflict_record ON conflict (record);

GO

CREATE TABLE journal (
    id BIGINT NOT NULL IDENTITY,
    number BIGINT NOT NULL,
    record UNIQUEIDENTIFIER NOT NULL,
    at DATETIME2(6) NOT NULL,
    source NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    entity NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    source_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    outcome NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    reason NVARCHAR(max) NOT NULL,
    changes NVARCHAR(max) NOT NULL,
    map_version NVARCHAR(max) NOT NULL,
    changed_at DATETIME2(6) NULL,
    origin NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NULL,
    actor NVARCHAR(max) NULL,
    correlation_id NVARCHAR(max) NULL,
    fence BIGINT NOT NULL,
    CONSTRAINT pk_journal PRIMARY KEY (id),
    CONSTRAINT fk_journal_number FOREIGN KEY(number) REFERENCES message (number)
);

GO

CREATE INDEX ix_journal_number ON journal (number);

GO

CREATE INDEX ix_journal_record ON journal (record);

GO

CREATE TABLE lane_item (
    number BIGINT NOT NULL,
    record UNIQUEIDENTIFIER NOT NULL,
    changed_at DATETIME2(6) NOT NULL,
    version BIGINT NOT NULL,
    position BIGINT NOT NULL,
    state NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    attempts INTEGER NOT NULL,
    due_at DATETIME2(6) NULL,
    waits_on NVARCHAR(330) COLLATE Latin1_General_100_BIN2 NULL,
    is_failing BIT NOT NULL,
    first_failed_at DATETIME2(6) NULL,
    last_failed_at DATETIME2(6) NULL,
    kind NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NULL,
    code NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NULL,
    answer NVARCHAR(max) NULL,
    [rule] NVARCHAR(max) NULL,
    table_name NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    field NVARCHAR(max) NULL,
    group_key NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL,
    CONSTRAINT pk_lane_item PRIMARY KEY (number),
    CONSTRAINT fk_lane_item_number FOREIGN KEY(number) REFERENCES message (number)
);

GO

CREATE INDEX ix_lane_item_failing ON lane_item (group_key) WHERE is_failing = 1;

GO

CREATE INDEX ix_lane_item_head ON lane_item (record, changed_at, version, position, number) WHERE state <> 'done';

GO

CREATE INDEX ix_lane_item_open ON lane_item (state, due_at) WHERE state <> 'done';

GO

CREATE TABLE ticket (
    id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    fingerprint NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    team NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    opened_at DATETIME2(6) NOT NULL,
    told_count INTEGER NOT NULL,
    told_at DATETIME2(6) NOT NULL,
    closed_at DATETIME2(6) NULL,
    CONSTRAINT pk_ticket PRIMARY KEY (id),
    CONSTRAINT fk_ticket_fingerprint FOREIGN KEY(fingerprint) REFERENCES failure_group (fingerprint)
);

GO

CREATE TABLE dependency (
    number BIGINT NOT NULL,
    wanted NVARCHAR(330) COLLATE Latin1_General_100_BIN2 NOT NULL,
    record UNIQUEIDENTIFIER NOT NULL,
    since DATETIME2(6) NOT NULL,
    CONSTRAINT pk_dependency PRIMARY KEY (number),
    CONSTRAINT fk_dependency_number FOREIGN KEY(number) REFERENCES lane_item (number)
);

GO

CREATE INDEX ix_dependency_wanted ON dependency (wanted);

GO

INSERT INTO alembic_version (version_num) OUTPUT inserted.version_num VALUES ('0001');

GO

COMMIT;

GO
