BEGIN TRANSACTION;

-- Running upgrade 0009 -> 0010

CREATE TABLE match_print (
    table_name NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    rule_name NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    digest NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    record UNIQUEIDENTIFIER NOT NULL,
    CONSTRAINT pk_match_print PRIMARY KEY (table_name, rule_name, digest, record)
);

GO

CREATE INDEX ix_match_print_record ON match_print (record);

GO

CREATE TABLE customer_case (
    number BIGINT NOT NULL IDENTITY,
    kind NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    table_name NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    first_row UNIQUEIDENTIFIER NOT NULL,
    second_row UNIQUEIDENTIFIER NOT NULL,
    record_key NVARCHAR(330) COLLATE Latin1_General_100_BIN2 NULL,
    rules NVARCHAR(max) NOT NULL,
    confidence INTEGER NOT NULL,
    is_certain BIT NOT NULL,
    state NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    found_at DATETIME2(6) NOT NULL,
    heir UNIQUEIDENTIFIER NULL,
    decided_by NVARCHAR(max) NULL,
    decided_at DATETIME2(6) NULL,
    reason NVARCHAR(max) NULL,
    told_as NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    ended NVARCHAR(max) NULL,
    over_at DATETIME2(6) NULL,
    CONSTRAINT pk_customer_case PRIMARY KEY (number)
);

GO

CREATE UNIQUE INDEX uq_customer_case_match ON customer_case (first_row, second_row) WHERE kind = 'match';

GO

CREATE INDEX ix_customer_case_state ON customer_case (state);

GO

UPDATE alembic_version SET version_num='0010' WHERE alembic_version.version_num = '0009';

GO

COMMIT;

GO
