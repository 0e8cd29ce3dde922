// The one WebSocket: what it says goes to handlers by its type; when it is lost, it comes back by itself.
const SHORTEST = 400, LONGEST = 2000, ECHO_EVERY = 3000, FIRST_ECHOES = [0, 300, 800, 1500], ENDED = 1001;

// The page's policy lets scripts be started by an address that one place gives alone: this one, and it gives no other.
function socketWorker() {
  const address = new URL("socket.js", import.meta.url).href;
  const policy = window.trustedTypes?.createPolicy("socket", { createScriptURL: () => address });
  return new Worker(policy?.createScriptURL("") ?? address);
}

export class Connection {
  constructor(handlers, changed) {
    this.handlers = handlers;
    this.changed = changed;
    this.pause = SHORTEST;
    this.offset = null; // what is to be added to this page's clock, in seconds, to get the session's
    this.trip = null; // there and back, in milliseconds: the shortest of late
    this.trips = [];
    this.replies = new Map();
    this.number = 0;
    this.isOpen = false;
    this.worker = socketWorker();
    this.worker.addEventListener("message", ({ data }) => this.happened(data));
    this.open();
    setInterval(() => this.send({ type: "echo", sent: performance.now() }), ECHO_EVERY);
  }

  open() {
    const address = new URL("socket", location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    address.hash = "";
    this.worker.postMessage({ open: address.href });
  }

  // What the socket says: that it is open, has got a message, or is closed.
  happened({ kind, data, code, reason }) {
    this.isOpen = kind !== "close";
    if (kind === "message") for (const message of JSON.parse(data)) this.take(message);
    else if (kind === "open") {
      this.pause = SHORTEST;
      this.trips = [];
      this.changed("open");
      for (const pause of FIRST_ECHOES) setTimeout(() => this.send({ type: "echo", sent: performance.now() }), pause);
    } else {
      this.changed(code === ENDED ? "ended" : reason || "lost");
      for (const reply of this.replies.values()) reply({ ok: false, error: "the connection was lost" });
      this.replies.clear();
      setTimeout(() => this.open(), this.pause);
      this.pause = Math.min(LONGEST, this.pause * 2);
    }
  }

  take(message) {
    if (message.type === "echo") this.measure(message);
    else if (message.type === "there?") this.send({ type: "here" });
    else if (message.type === "reply") {
      this.replies.get(message.number)?.(message);
      this.replies.delete(message.number);
    } else {
      if (message.type === "snapshot" && this.offset === null) this.offset = message.at - performance.now() / 1000;
      this.handlers[message.type]?.(message);
    }
  }

  measure(message) {
    const now = performance.now(), trip = now - message.sent;
    this.trips = [...this.trips.slice(-9), { trip, offset: message.at - (message.sent + trip / 2) / 1000 }];
    const best = this.trips.reduce((one, other) => (other.trip < one.trip ? other : one));
    this.trip = best.trip;
    this.offset = best.offset;
    this.changed("measured");
  }

  get now() { return performance.now() / 1000 + (this.offset ?? 0); }

  send(message) {
    if (!this.isOpen) return false;
    this.worker.postMessage({ said: JSON.stringify(message) });
    return true;
  }

  // Ask for something; gives the reply, which says {ok, error, …}.
  ask(message) {
    return new Promise((resolve) => {
      this.number += 1;
      if (this.send({ ...message, number: this.number })) this.replies.set(this.number, resolve);
      else resolve({ ok: false, error: "there is no connection just now" });
    });
  }
}
