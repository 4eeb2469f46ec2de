BEGIN TRANSACTION;

-- Running upgrade 0003 -> 0004

ALTER TABLE message ADD refused_in NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL;

GO

ALTER TABLE message ADD replaces BIGINT NULL;

GO

ALTER TABLE message ADD edits NVARCHAR(max) NULL;

GO

CREATE INDEX ix_message_refused ON message (refused_in) WHERE refused_in IS NOT NULL;

GO

CREATE INDEX ix_dependency_record ON dependency (record);

GO

ALTER TABLE lane_item ADD without NVARCHAR(max) NULL;

GO

ALTER TABLE lane_item ADD vouched_by NVARCHAR(max) NULL;

GO

ALTER TABLE lane_item ADD [plan] BIGINT NULL;

GO

ALTER TABLE lane_item ADD request_id NVARCHAR(max) NULL;

GO

ALTER TABLE failure_group ADD sender NVARCHAR(max) NULL;

GO

UPDATE alembic_version SET version_num='0004' WHERE alembic_version.version_num = '0003';

GO

COMMIT;

GO
