-- Every statement of the hot path as SQL Server gets it; see test_golden.py.

-- claim
SELECT crosswalk.row_id, crosswalk.state
FROM crosswalk
WHERE crosswalk.system = @the_system AND crosswalk.entity = @the_entity AND crosswalk.legacy_id = @the_id;

-- claim
INSERT INTO crosswalk (system, entity, legacy_id, row_id, state, reserved_at) VALUES (@system, @entity, @legacy_id, @row_id, @state, @reserved_at);

-- admit
INSERT INTO message (message_id, original_id, queue, body_hash, is_first, session_id, body, properties, application_properties, position, delivery_count, sender, received_at, source, entity, source_id, operation, changed_at, version, actor, correlation_id, record, outcome, reason, faults, finished_at, is_reopened, refused_in) OUTPUT inserted.number VALUES (@message_id, @original_id, @queue, @body_hash, @is_first, @session_id, @body, @properties, @application_properties, @position, @delivery_count, @sender, @received_at, @source, @entity, @source_id, @operation, @changed_at, @version, @actor, @correlation_id, @record, @outcome, @reason, @faults, @finished_at, @is_reopened, @refused_in);

-- admit
UPDATE lane SET version=(lane.version + 1) WHERE lane.record = @the_record;

-- admit
INSERT INTO lane (record, fence, version) VALUES (@record, @fence, @version);

-- admit
INSERT INTO lane_item (number, record, changed_at, version, position, state, attempts, due_at, waits_on, is_failing) VALUES (@number, @record, @changed_at, @version, @position, @state, @attempts, @due_at, @waits_on, @is_failing);

-- admit again
SELECT message.number, message.body_hash, message.outcome, message.record, message.faults, message.is_reopened
FROM message
WHERE message.message_id = @the_id AND message.queue = @the_queue;

-- admit another body
UPDATE failure_group SET last_seen_at=@last_seen_at WHERE failure_group.fingerprint = @the_group;

-- admit another body
INSERT INTO failure_group (fingerprint, kind, code, answer, table_name, field, [rule], first_seen_at, last_seen_at, tickets, sender) VALUES (@fingerprint, @kind, @code, @answer, @table_name, @field, @rule, @first_seen_at, @last_seen_at, @tickets, @sender);

-- park
UPDATE lane SET fence=(lane.fence + 1), owner=@the_owner, lease_until=@until OUTPUT inserted.fence WHERE lane.record = @the_record AND (lane.owner IS NULL OR lane.lease_until < @now);

-- park
SELECT TOP 1 lane_item.number, lane_item.state, lane_item.attempts, lane_item.due_at, lane_item.vouched_by, lane_item.[plan], lane_item.waits_on, lane_item.without, lane_item.phases, shadow.document, shadow.deleted_at, message.message_id, message.original_id, message.queue, message.session_id, message.body, message.properties, message.application_properties, message.position, message.delivery_count, message.sender
FROM lane_item JOIN message ON message.number = lane_item.number LEFT OUTER JOIN shadow ON shadow.record = lane_item.record
WHERE lane_item.record = @the_record AND lane_item.state != 'done' AND lane_item.state != 'aside' ORDER BY lane_item.changed_at, lane_item.version, lane_item.position, lane_item.number;

-- park
SELECT 1
WHERE EXISTS (SELECT *
FROM lane
WHERE lane.record = @the_record AND lane.fence = @the_fence);

-- park
UPDATE lane SET owner=@owner, lease_until=@lease_until, version=(lane.version + 1) WHERE lane.record = @the_record AND lane.fence = @the_fence;

-- park
SELECT lane_item.waits_on
FROM lane_item
WHERE lane_item.number = @the_number;

-- park
INSERT INTO dependency (number, wanted, record, since) VALUES (@number, @wanted, @record, @since);

-- park
SELECT crosswalk.row_id
FROM crosswalk WITH (READCOMMITTEDLOCK)
WHERE crosswalk.system = @the_system AND crosswalk.entity = @the_entity AND crosswalk.legacy_id = @the_id AND crosswalk.state IN ('paired', 'absorbed');

-- park
SELECT crosswalk.row_id, dependency.wanted
FROM crosswalk LEFT OUTER JOIN dependency WITH (READCOMMITTEDLOCK) ON dependency.record = crosswalk.row_id
WHERE crosswalk.system = @the_system AND crosswalk.entity = @the_entity AND crosswalk.legacy_id = @the_id;

-- park
UPDATE lane_item SET state=@state, due_at=@due_at, waits_on=@waits_on, is_failing=@is_failing, without=@without, unit=@unit, phases=@phases WHERE lane_item.number = @the_number AND lane_item.record = @the_record AND lane_item.state = @the_state AND lane_item.attempts = @the_attempts;

-- park
INSERT INTO journal (number, record, at, source, entity, source_id, outcome, reason, changes, map_version, fence, decided_in, changed_at, origin, actor, correlation_id) SELECT @new_number AS anon_1, @new_record AS anon_2, @new_at AS anon_3, @new_source AS anon_4, @new_entity AS anon_5, @new_source_id AS anon_6, @new_outcome AS anon_7, @new_reason AS anon_8, @new_changes AS anon_9, @new_map_version AS anon_10, @new_fence AS anon_11, @new_decided_in AS anon_12, message.changed_at, message.source, message.actor, message.correlation_id
FROM message
WHERE message.number = @the_number;

-- park
UPDATE message SET outcome=@outcome, reason=@reason, faults=@faults, finished_at=@finished_at WHERE message.number = @the_number;

-- park
UPDATE lane SET owner=@owner, lease_until=@lease_until WHERE lane.record = @the_record AND lane.fence = @the_fence;

-- merge
UPDATE shadow SET document=@document, deleted_at=@deleted_at, fence=@fence, saved_at=@saved_at, owed=@owed WHERE shadow.record = @the_record;

-- merge
INSERT INTO shadow (record, document, deleted_at, fence, saved_at, owed) VALUES (@record, @document, @deleted_at, @fence, @saved_at, @owed);

-- merge
SELECT conflict.column_name, conflict.inbound, conflict.outbound
FROM conflict
WHERE conflict.number = @the_number;

-- merge
INSERT INTO conflict (number, record, at, column_name, base, inbound, outbound, winner, [rule]) VALUES (@number, @record, @at, @column_name, @base, @inbound, @outbound, @winner, @rule);

-- merge
UPDATE crosswalk SET row_id=@row_id, state=@state, paired_at=@paired_at WHERE crosswalk.system = @the_system AND crosswalk.entity = @the_entity AND crosswalk.legacy_id = @the_id;

-- merge
DELETE FROM dependency OUTPUT deleted.number, deleted.record WHERE dependency.wanted IN (@the_key, @the_row);

-- merge
UPDATE lane_item SET state=@state, due_at=@due_at OUTPUT inserted.number WHERE lane_item.number IN (@the_numbers) AND lane_item.state IN ('parked', 'retrying');

-- merge
UPDATE message SET outcome=@outcome, reason=@reason WHERE message.number IN (@the_numbers);

-- merge
INSERT INTO crosswalk (system, entity, legacy_id, row_id, state, reserved_at, paired_at) VALUES (@system, @entity, @legacy_id, @row_id, @state, @reserved_at, @paired_at);

-- fail
UPDATE lane_item SET state=@state, attempts=@attempts, due_at=@due_at, waits_on=@waits_on, is_failing=@is_failing, first_failed_at=coalesce(lane_item.first_failed_at, @param_1), last_failed_at=@last_failed_at, kind=@kind, code=@code, answer=@answer, [rule]=@rule, table_name=@table_name, field=@field, group_key=@group_key, without=@without, request_id=@request_id, unit=@unit, far_side=@far_side WHERE lane_item.number = @the_number AND lane_item.record = @the_record AND lane_item.state = @the_state AND lane_item.attempts = @the_attempts;

-- fail
UPDATE lane SET owner=@the_owner, lease_until=@until WHERE lane.record = @the_record AND lane.fence = @the_fence;

-- park on a row
SELECT absorbed_row.heir
FROM absorbed_row
WHERE absorbed_row.row_id = @the_row;

-- park on a row
SELECT crosswalk.row_id
FROM crosswalk WITH (READCOMMITTEDLOCK)
WHERE crosswalk.row_id = @the_row AND crosswalk.state = 'paired';

-- park on a row
DELETE FROM dependency WHERE dependency.number = @the_number;

-- wait for an owner
UPDATE unmatched_owner SET why=@why, last_seen_at=@last_seen_at WHERE unmatched_owner.owner = @the_owner;

-- wait for an owner
INSERT INTO unmatched_owner (owner, system, name, why, first_seen_at, last_seen_at) VALUES (@owner, @system, @name, @why, @first_seen_at, @last_seen_at);

-- look for an alias
SELECT owner_alias.owner, owner_alias.system, owner_alias.name, owner_alias.address, owner_alias.set_at, owner_alias.set_by, owner_alias.reason
FROM owner_alias ORDER BY owner_alias.set_at;

-- list owners
SELECT dependency.wanted, message.entity, count(DISTINCT dependency.record) AS size
FROM dependency JOIN unmatched_owner ON unmatched_owner.owner = dependency.wanted JOIN message ON message.number = dependency.number GROUP BY dependency.wanted, message.entity;

-- list owners
SELECT shadow.owed, crosswalk.entity, count(DISTINCT shadow.record) AS size
FROM shadow JOIN unmatched_owner ON unmatched_owner.owner = shadow.owed JOIN crosswalk ON crosswalk.row_id = shadow.record AND crosswalk.system = unmatched_owner.system
WHERE shadow.owed IS NOT NULL GROUP BY shadow.owed, crosswalk.entity;

-- list owners
SELECT unmatched_owner.owner, unmatched_owner.system, unmatched_owner.name, unmatched_owner.why, unmatched_owner.first_seen_at, unmatched_owner.last_seen_at
FROM unmatched_owner
WHERE (EXISTS (SELECT *
FROM dependency
WHERE dependency.wanted = unmatched_owner.owner)) OR (EXISTS (SELECT *
FROM shadow
WHERE shadow.owed IS NOT NULL AND shadow.owed = unmatched_owner.owner)) ORDER BY unmatched_owner.first_seen_at, unmatched_owner.owner;

-- list what is owed
SELECT shadow.record, shadow.document, shadow.deleted_at
FROM shadow
WHERE shadow.owed IS NOT NULL AND shadow.owed = @the_owner AND NOT (EXISTS (SELECT *
FROM lane_item
WHERE lane_item.record = shadow.record AND lane_item.state != 'done' AND lane_item.state != 'aside')) ORDER BY shadow.record;

-- forget owners
DELETE FROM unmatched_owner WHERE unmatched_owner.last_seen_at < @seen_before AND NOT ((EXISTS (SELECT *
FROM dependency
WHERE dependency.wanted = unmatched_owner.owner)) OR (EXISTS (SELECT *
FROM shadow
WHERE shadow.owed IS NOT NULL AND shadow.owed = unmatched_owner.owner)));

-- sweep
SELECT TOP 10 lane_item.record
FROM lane_item JOIN lane ON lane.record = lane_item.record JOIN message ON message.number = lane_item.number
WHERE lane_item.state != 'done' AND (lane_item.state = 'waiting' AND (lane_item.due_at IS NULL OR lane_item.due_at <= @now) OR lane_item.state = 'retrying' AND lane_item.due_at <= @now) AND (lane_item.state = 'retrying' OR message.received_at < @settled_before) AND (lane.owner IS NULL OR lane.lease_until < @now) AND NOT (EXISTS (SELECT *
FROM lane_item AS other
WHERE other.record = lane_item.record AND other.state != 'done' AND other.state != 'aside' AND other.changed_at <= lane_item.changed_at AND (other.changed_at < lane_item.changed_at OR other.changed_at = lane_item.changed_at AND (other.version < lane_item.version OR other.version = lane_item.version AND (other.position < lane_item.position OR other.position = lane_item.position AND other.number < lane_item.number))))) ORDER BY message.received_at, lane_item.number;

-- load
SELECT shadow.document, shadow.deleted_at
FROM shadow
WHERE shadow.record = @the_record;

-- look up a record
SELECT crosswalk.row_id
FROM crosswalk
WHERE crosswalk.system = @the_system AND crosswalk.entity = @the_entity AND crosswalk.legacy_id = @the_id AND crosswalk.state IN ('paired', 'absorbed');

-- look up a row
SELECT crosswalk.system, crosswalk.entity, crosswalk.legacy_id
FROM crosswalk
WHERE crosswalk.row_id = @the_row AND crosswalk.state = 'paired' ORDER BY crosswalk.system, crosswalk.entity, crosswalk.legacy_id;

-- hand over
UPDATE lane SET fence=(lane.fence + @fence_1), owner=@owner, lease_until=@lease_until, version=(lane.version + @version_1) WHERE lane.record = @the_record AND (lane.owner IS NULL OR lane.lease_until < @now);

-- hand over
UPDATE crosswalk SET row_id=@row_id WHERE crosswalk.system = @the_system AND crosswalk.entity = @the_entity AND crosswalk.legacy_id = @the_id AND crosswalk.state = @state_1 AND crosswalk.row_id = @the_row;

-- hand over
UPDATE message SET record=@new_record WHERE message.record = @the_record AND message.source = @the_system AND message.entity = @the_entity AND message.source_id = @the_id;

-- hand over
UPDATE lane_item SET record=@new_record WHERE lane_item.record = @the_record AND lane_item.number IN (SELECT message.number
FROM message
WHERE message.record = @new_record AND message.source = @the_system AND message.entity = @the_entity AND message.source_id = @the_id);

-- hand over
UPDATE dependency SET record=@new_record WHERE dependency.record = @the_record AND dependency.number IN (SELECT message.number
FROM message
WHERE message.record = @new_record AND message.source = @the_system AND message.entity = @the_entity AND message.source_id = @the_id);

-- absorb
UPDATE crosswalk SET row_id=@row_id WHERE crosswalk.system = @the_system AND crosswalk.entity = @the_entity AND crosswalk.legacy_id = @the_id;

-- absorb
UPDATE lane SET fence=(lane.fence + 1), owner=@owner, lease_until=@lease_until, version=(lane.version + 1) WHERE lane.record = @the_record AND lane.fence = @the_fence;

-- absorb
UPDATE crosswalk SET row_id=@row_id WHERE crosswalk.row_id = @the_row AND crosswalk.state = 'absorbed';

-- absorb
UPDATE absorbed_row SET heir=@heir, at=@at, number=@number, records=@records WHERE absorbed_row.row_id = @the_row;

-- absorb
INSERT INTO absorbed_row (row_id, heir, at, number, records) VALUES (@row_id, @heir, @at, @number, @records);

-- absorb
INSERT INTO shadow (record, document, deleted_at, fence, saved_at) VALUES (@record, @document, @deleted_at, @fence, @saved_at);

-- absorb
UPDATE crosswalk SET row_id=@row_id WHERE crosswalk.row_id = @the_row AND crosswalk.state = 'reserved';

-- absorb
SELECT lane_item.number, lane_item.state
FROM lane_item
WHERE lane_item.record = @the_record AND lane_item.state != 'done';

-- absorb
DELETE FROM dependency WHERE dependency.record = @the_record;

-- absorb
UPDATE lane_item SET record=@record, state=@state, due_at=@due_at, waits_on=@waits_on, is_failing=@is_failing WHERE lane_item.number IN (@the_numbers);

-- absorb
UPDATE message SET record=@record, outcome=@outcome, reason=@reason WHERE message.number IN (@the_numbers);

-- absorb
UPDATE pending_write SET state=@state, fields=@fields, was=@was, agrees=@agrees, held=@held, over_at=@over_at WHERE pending_write.record = @the_record AND pending_write.state != 'over';

-- absorb
SELECT dispute.column_name
FROM dispute
WHERE dispute.record = @the_record AND dispute.state != 'over';

-- absorb
INSERT INTO journal (number, record, at, source, entity, source_id, outcome, reason, changes, map_version, changed_at, origin, actor, correlation_id, fence) SELECT message.number, @param_1 AS anon_1, @param_2 AS anon_2, message.source, message.entity, message.source_id, @param_3 AS anon_3, @param_4 AS anon_4, @param_5 AS anon_5, @param_6 AS anon_6, message.changed_at, message.source AS source__1, message.actor, message.correlation_id, @param_7 AS anon_7
FROM message
WHERE message.number = @number_1;

-- absorb
DELETE FROM match_print WHERE match_print.record = @record_1;

-- absorb
UPDATE customer_case SET state=@state, ended=@ended, over_at=@over_at WHERE (customer_case.first_row = @first_row_1 OR customer_case.second_row = @second_row_1) AND customer_case.state IN ('open', 'accepted') AND customer_case.kind = 'match';

-- hand on
UPDATE lane_item SET state=@state, due_at=@due_at WHERE lane_item.number = @the_number AND lane_item.record = @the_record AND lane_item.state = @the_state AND lane_item.attempts = @the_attempts;

-- notice
INSERT INTO match_print (table_name, rule_name, digest, record) VALUES (@table_name, @rule_name, @digest, @record);

-- notice
SELECT TOP 5 match_print.record
FROM match_print
WHERE match_print.table_name = @the_table AND match_print.rule_name = @the_rule AND match_print.digest = @the_digest AND match_print.record != @the_record ORDER BY match_print.record;

-- notice
UPDATE customer_case SET state=@state, ended=@ended, over_at=@over_at WHERE customer_case.number = @number_1 AND customer_case.state = 'accepted';

-- notice
SELECT customer_case.number, customer_case.kind, customer_case.table_name, customer_case.first_row, customer_case.second_row, customer_case.record_key, customer_case.rules, customer_case.confidence, customer_case.is_certain, customer_case.state, customer_case.found_at, customer_case.heir, customer_case.decided_by, customer_case.decided_at, customer_case.reason, customer_case.told_as, customer_case.ended, customer_case.over_at
FROM customer_case
WHERE customer_case.kind = 'match' AND customer_case.first_row = @the_first AND customer_case.second_row = @the_second;

-- notice
INSERT INTO customer_case (kind, table_name, first_row, second_row, rules, confidence, is_certain, state, found_at) VALUES (@kind, @table_name, @first_row, @second_row, @rules, @confidence, @is_certain, @state, @found_at);

-- split
DELETE FROM absorbed_row WHERE absorbed_row.row_id = @row_id_1;

-- split
UPDATE shadow SET document=@document, deleted_at=@deleted_at, fence=@fence, saved_at=@saved_at WHERE shadow.record = @the_record;

-- split
SELECT lane_item.number, lane_item.state
FROM lane_item JOIN message ON message.number = lane_item.number
WHERE lane_item.record = @the_record AND lane_item.state != 'done' AND message.source = @the_system AND message.entity = @the_entity AND message.source_id = @the_id AND message.operation IN ('upsert', 'delete');

-- split
INSERT INTO journal (number, record, at, source, entity, source_id, outcome, reason, changes, map_version, changed_at, origin, actor, correlation_id, fence) VALUES (@number, @record, @at, @source, @entity, @source_id, @outcome, @reason, @changes, @map_version, @changed_at, @origin, @actor, @correlation_id, @fence);

-- split
UPDATE customer_case SET state=@state, ended=@ended, over_at=@over_at WHERE customer_case.first_row IN ([UUID('fdd2c657-2cdf-58d8-a116-5bf18ab61384'), UUID('299f0563-d418-5a3c-9894-bfc5d964d3e0')]) AND customer_case.second_row IN ([UUID('fdd2c657-2cdf-58d8-a116-5bf18ab61384'), UUID('299f0563-d418-5a3c-9894-bfc5d964d3e0')]) AND customer_case.kind = 'match';

-- job
UPDATE job_lease SET owner=@the_owner, lease_until=@until, fence=(job_lease.fence + 1) WHERE job_lease.name = @the_name AND (job_lease.lease_until < @now OR job_lease.owner = @the_owner);

-- job
SELECT 1
WHERE EXISTS (SELECT *
FROM job_lease
WHERE job_lease.name = @the_name);

-- job
INSERT INTO job_lease (name, owner, lease_until, fence) VALUES (@name, @owner, @lease_until, @fence);

-- pause
UPDATE identity_pause SET until=@the_end WHERE identity_pause.name = @the_name AND (identity_pause.until < @the_end OR identity_pause.until > @believable);

-- pause
SELECT 1
WHERE EXISTS (SELECT *
FROM identity_pause
WHERE identity_pause.name = @the_name);

-- pause
INSERT INTO identity_pause (name, until) VALUES (@name, @until);

-- look for a pause
SELECT identity_pause.until
FROM identity_pause
WHERE identity_pause.name = @the_name;

-- read a feed
SELECT watermark.position, watermark.version
FROM watermark
WHERE watermark.name = @the_name;

-- read a feed
INSERT INTO watermark (name, position, moved_at, version) VALUES (@name, @position, @moved_at, @version);

-- read on
UPDATE watermark SET position=@the_position, moved_at=@now, version=(watermark.version + 1) WHERE watermark.name = @the_name AND watermark.version = @seen;
