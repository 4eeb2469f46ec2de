BEGIN TRANSACTION;

-- Running upgrade 0013 -> 0014

ALTER TABLE lane_item ADD phases NVARCHAR(max) NULL;

GO

UPDATE alembic_version SET version_num='0014' WHERE alembic_version.version_num = '0013';

GO

COMMIT;

GO
