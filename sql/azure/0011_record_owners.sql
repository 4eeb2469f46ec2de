BEGIN TRANSACTION;

-- Running upgrade 0010 -> 0011

CREATE TABLE unmatched_owner (
    owner NVARCHAR(330) COLLATE Latin1_General_100_BIN2 NOT NULL,
    system NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    name NVARCHAR(max) NOT NULL,
    why NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    first_seen_at DATETIME2(6) NOT NULL,
    last_seen_at DATETIME2(6) NOT NULL,
    CONSTRAINT pk_unmatched_owner PRIMARY KEY (owner)
);

GO

CREATE TABLE owner_alias (
    owner NVARCHAR(330) COLLATE Latin1_General_100_BIN2 NOT NULL,
    system NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    name NVARCHAR(max) NOT NULL,
    address NVARCHAR(max) NOT NULL,
    set_at DATETIME2(6) NOT NULL,
    set_by NVARCHAR(max) NOT NULL,
    reason NVARCHAR(max) NOT NULL,
    CONSTRAINT pk_owner_alias PRIMARY KEY (owner)
);

GO

ALTER TABLE shadow ADD owed NVARCHAR(330) COLLATE Latin1_General_100_BIN2 NULL;

GO

CREATE INDEX ix_shadow_owed ON shadow (owed) WHERE owed IS NOT NULL;

GO

UPDATE alembic_version SET version_num='0011' WHERE alembic_version.version_num = '0010';

GO

COMMIT;

GO
