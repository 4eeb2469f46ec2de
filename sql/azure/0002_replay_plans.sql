BEGIN TRANSACTION;

-- Running upgrade 0001 -> 0002

CREATE TABLE replay_plan (
    number BIGINT NOT NULL IDENTITY,
    state NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    selection NVARCHAR(max) NOT NULL,
    created_at DATETIME2(6) NOT NULL,
    created_by NVARCHAR(max) NOT NULL,
    foreseen NVARCHAR(max) NULL,
    policy NVARCHAR(max) NULL,
    wave INTEGER NOT NULL,
    sent INTEGER NOT NULL,
    sent_at DATETIME2(6) NULL,
    started_at DATETIME2(6) NULL,
    started_by NVARCHAR(max) NULL,
    counted_from DATETIME2(6) NULL,
    changed_at DATETIME2(6) NOT NULL,
    changed_by NVARCHAR(max) NOT NULL,
    reason NVARCHAR(max) NULL,
    ended_at DATETIME2(6) NULL,
    fence BIGINT NOT NULL,
    CONSTRAINT pk_replay_plan PRIMARY KEY (number)
);

GO

CREATE TABLE replay_item (
    [plan] BIGINT NOT NULL,
    number BIGINT NOT NULL,
    record UNIQUEIDENTIFIER NOT NULL,
    is_head BIT NOT NULL,
    group_key NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL,
    source NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NULL,
    entity NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    state NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    level INTEGER NOT NULL,
    foreseen NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL,
    covered_by BIGINT NULL,
    wave INTEGER NULL,
    seen BIGINT NULL,
    sent_at DATETIME2(6) NULL,
    decided_at DATETIME2(6) NULL,
    fate NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL,
    reason NVARCHAR(max) NULL,
    proof NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL,
    CONSTRAINT pk_replay_item PRIMARY KEY ([plan], number),
    CONSTRAINT fk_replay_item_plan FOREIGN KEY([plan]) REFERENCES replay_plan (number)
);

GO

CREATE INDEX ix_replay_item_plan_state ON replay_item ([plan], state);

GO

CREATE INDEX ix_replay_item_plan_record ON replay_item ([plan], record);

GO

UPDATE alembic_version SET version_num='0002' WHERE alembic_version.version_num = '0001';

GO

COMMIT;

GO
