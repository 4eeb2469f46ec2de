// Drives Microsoft's npm client for Service Bus against a broker; prints what it saw as JSON.
// Run with the client's node_modules below the working folder:
//   node service_bus.mjs <scenario> <connection string> [<the administration client's connection string>]
import { createRequire } from "node:module";

const require = createRequire(process.cwd() + "/");
const { ServiceBusAdministrationClient, ServiceBusClient, delay, isServiceBusError } =
  require("@azure/service-bus");

const [scenario, connection, administration] = process.argv.slice(2);
const once = { retryOptions: { maxRetries: 0 } };

// The code of the error that something ends with.
async function fault(work) {
  try {
    await work;
    return "none";
  } catch (error) {
    return isServiceBusError(error) ? error.code : `${error.name}: ${error.statusCode ?? error.message}`;
  }
}

// So many messages; the client may come back with fewer.
async function take(receiver, count) {
  const found = [];
  while (found.length < count) {
    const more = await receiver.receiveMessages(count - found.length, { maxWaitTimeInMs: 10000 });
    if (more.length === 0) throw new Error(`only ${found.length} of ${count} messages came`);
    found.push(...more);
  }
  return found;
}

const bodies = (messages) => messages.map((message) => message.body);

const scenarios = {
  async queue(client, seen) {
    const sender = client.createSender("plain");
    const receiver = client.createReceiver("plain");
    await sender.sendMessages({
      body: { record: 1 },
      messageId: "m1",
      subject: "s",
      correlationId: "c",
      contentType: "application/json",
      to: "t",
      replyTo: "r",
      partitionKey: "p",
      timeToLive: 60000,
      applicationProperties: { text: "ü", number: 7, flag: true },
    });
    const [first] = await take(receiver, 1);
    seen.message = {
      body: first.body,
      messageId: first.messageId,
      subject: first.subject,
      correlationId: first.correlationId,
      contentType: first.contentType,
      to: first.to,
      replyTo: first.replyTo,
      partitionKey: first.partitionKey,
      timeToLive: first.timeToLive,
      applicationProperties: first.applicationProperties,
      deliveryCount: first.deliveryCount,
      sequenceNumber: first.sequenceNumber.toNumber(),
      state: first.state,
    };
    const lockedUntil = first.lockedUntilUtc;
    seen.renewed = (await receiver.renewMessageLock(first)) >= lockedUntil;
    await receiver.completeMessage(first);
    seen.twice = await fault(receiver.completeMessage(first));

    const batch = await sender.createMessageBatch();
    for (const name of ["complete", "abandon", "defer", "dead-letter"]) batch.tryAddMessage({ body: name });
    seen.batch = [batch.count, batch.maxSizeInBytes, batch.tryAddMessage({ body: "x".repeat(300000) })];
    await sender.sendMessages(batch);
    const [completed, abandoned, deferred, buried] = await take(receiver, 4);
    await receiver.completeMessage(completed);
    await receiver.abandonMessage(abandoned, { why: "later" });
    await receiver.deferMessage(deferred, { aside: 1 });
    await receiver.deadLetterMessage(buried, {
      deadLetterReason: "Broken",
      deadLetterErrorDescription: "beyond repair",
      field: "name",
    });
    const [again] = await take(receiver, 1);
    seen.abandoned = [again.body, again.deliveryCount, again.applicationProperties];
    await receiver.completeMessage(again);
    const [found] = await receiver.receiveDeferredMessages(deferred.sequenceNumber);
    seen.deferred = [found.body, found.state, found.applicationProperties];
    await receiver.completeMessage(found);
    seen.deferredAgain = await fault(receiver.receiveDeferredMessages(deferred.sequenceNumber));
    const graves = client.createReceiver("plain", { subQueueType: "deadLetter" });
    const [dead] = await take(graves, 1);
    seen.dead = [
      dead.body,
      dead.deadLetterReason,
      dead.deadLetterErrorDescription,
      dead.deadLetterSource,
      dead.applicationProperties.field,
    ];
    await graves.completeMessage(dead);

    const soon = new Date(Date.now() + 1000);
    const [kept] = await sender.scheduleMessages([{ body: "kept" }], soon);
    // One that came in a second would be there before a slow machine has cancelled it.
    const tomorrow = new Date(Date.now() + 86400000);
    const [dropped] = await sender.scheduleMessages([{ body: "dropped" }], tomorrow);
    await sender.cancelScheduledMessages(dropped);
    seen.cancelledTwice = await fault(sender.cancelScheduledMessages(dropped));
    const [due] = await take(receiver, 1);
    seen.scheduled = [due.body, due.enqueuedTimeUtc >= soon, due.enqueuedSequenceNumber === kept.toNumber()];
    await receiver.completeMessage(due);

    await sender.sendMessages(["a", "b", "c"].map((body) => ({ body })));
    seen.peeked = [bodies(await receiver.peekMessages(2)), bodies(await receiver.peekMessages(2))];
    const deleting = client.createReceiver("plain", { receiveMode: "receiveAndDelete" });
    seen.deleted = bodies(await take(deleting, 3));
    await deleting.close();
    seen.left = (await receiver.peekMessages(1, { fromSequenceNumber: kept })).length;
    seen.empty = (await receiver.receiveMessages(1, { maxWaitTimeInMs: 200 })).length;
    seen.missing = await fault(client.createSender("nowhere").sendMessages({ body: "x" }));
    seen.large = await fault(sender.sendMessages({ body: "x".repeat(300000) }));
  },

  async streaming(client, seen) {
    const sender = client.createSender("plain");
    await sender.sendMessages(Array.from({ length: 50 }, (_, number) => ({ body: number })));
    const receiver = client.createReceiver("plain");
    const got = [];
    const faults = [];
    const subscription = receiver.subscribe(
      {
        processMessage: async (message) => void got.push(message.body),
        processError: async ({ error }) => void faults.push(error.message),
      },
      { maxConcurrentCalls: 5 },
    );
    while (got.length < 50) await delay(5);
    await subscription.close();
    seen.got = got.sort((a, b) => a - b);
    seen.faults = faults;
    seen.left = (await receiver.peekMessages(1)).length;
  },

  async sessions(client, seen) {
    const sender = client.createSender("sessions");
    const send = (sessionId, ...texts) => sender.sendMessages(texts.map((body) => ({ body, sessionId })));
    await send("A", "a1", "a2", "a3");
    await send("B", "b1");
    const first = await client.acceptNextSession("sessions");
    const second = await client.acceptNextSession("sessions");
    seen.next = [first.sessionId, second.sessionId];
    seen.taken = await fault(client.acceptSession("sessions", "A"));
    const lockedUntil = first.sessionLockedUntilUtc;
    seen.renewed = (await first.renewSessionLock()) >= lockedUntil;
    seen.state = [await first.getSessionState()];
    await first.setSessionState({ step: 2 });
    const [one] = await take(first, 1);
    await first.abandonMessage(one);
    const [again, two, three] = await take(first, 3);
    seen.order = [again, two, three].map((message) => [message.body, message.deliveryCount]);
    await first.completeMessage(again);
    await first.deferMessage(two);
    const [deferred] = await first.receiveDeferredMessages(two.sequenceNumber);
    await first.completeMessage(deferred);
    seen.peeked = bodies(await first.peekMessages(5, { fromSequenceNumber: again.sequenceNumber }));
    await first.close();
    seen.settledLate = await fault(first.completeMessage(three));
    const byId = await client.acceptSession("sessions", "A");
    seen.state.push(await byId.getSessionState());
    const [left] = await take(byId, 1);
    seen.left = [left.body, left.deliveryCount];
    await byId.deadLetterMessage(left, { deadLetterReason: "Poison" });
    await byId.setSessionState(null);
    seen.state.push(await byId.getSessionState());
    await byId.close();
    const graves = client.createReceiver("sessions", { subQueueType: "deadLetter" });
    const [dead] = await take(graves, 1);
    seen.dead = [dead.body, dead.sessionId, dead.deadLetterReason];
    await graves.completeMessage(dead);
    await take(second, 1).then(([message]) => second.completeMessage(message));
    await second.close();
    seen.noId = await fault(sender.sendMessages({ body: "x" }));
    seen.noSession = await fault(client.createReceiver("sessions").receiveMessages(1, { maxWaitTimeInMs: 200 }));
    seen.notForSessions = await fault(client.acceptSession("plain", "A"));
    await send("late", "l1");
    const late = await client.acceptNextSession("sessions");
    seen.late = late.sessionId;
    await late.close();
  },

  async lost(client, seen) {
    await client.createSender("brief-sessions").sendMessages({ body: "a1", sessionId: "A" });
    const slow = await client.acceptSession("brief-sessions", "A", { maxAutoLockRenewalDurationInMs: 0 });
    const [message] = await take(slow, 1);
    while (new Date() <= slow.sessionLockedUntilUtc) await delay(20);
    seen.settled = await fault(slow.completeMessage(message));
    seen.renewed = await fault(slow.renewSessionLock());
    const other = await client.acceptSession("brief-sessions", "A");
    const [again] = await take(other, 1);
    seen.again = [again.body, again.deliveryCount];
    await other.completeMessage(again);
  },

  async patience(client, seen) {
    // The client waits a minute for a session by default; a short try is a short wait.
    seen.nobody = await fault(client.acceptNextSession("sessions"));
  },

  async administration(_client, seen) {
    const admin = new ServiceBusAdministrationClient(administration);
    const made = await admin.createQueue("made", {
      requiresSession: true,
      lockDuration: "PT30S",
      defaultMessageTimeToLive: "PT10M",
      maxDeliveryCount: 4,
      deadLetteringOnMessageExpiration: true,
    });
    const { name, requiresSession, lockDuration, defaultMessageTimeToLive, maxDeliveryCount, status } = made;
    seen.made = { name, requiresSession, lockDuration, defaultMessageTimeToLive, maxDeliveryCount, status };
    made.maxDeliveryCount = 7;
    seen.updated = (await admin.updateQueue(made)).maxDeliveryCount;
    seen.exists = [await admin.queueExists("made"), await admin.queueExists("nowhere")];
    seen.listed = [];
    for await (const queue of admin.listQueues()) seen.listed.push(queue.name);
    const counted = await admin.getQueueRuntimeProperties("made");
    seen.counts = [counted.activeMessageCount, counted.deadLetterMessageCount, counted.totalMessageCount];
    seen.again = await fault(admin.createQueue("made"));
    await admin.deleteQueue("made");
    seen.gone = await fault(admin.getQueue("made"));
  },
};

const options = scenario === "patience" ? { retryOptions: { maxRetries: 0, timeoutInMs: 1000 } } : once;
const client = new ServiceBusClient(connection, options);
const seen = {};
await scenarios[scenario](client, seen);
await client.close();
process.stdout.write(JSON.stringify(seen) + "\n");
