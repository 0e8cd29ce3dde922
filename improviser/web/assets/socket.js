// The WebSocket, in a worker: a browser that draws a frame after a key puts off what comes from the network, but not us.
let socket = null;

self.addEventListener("message", ({ data: { open, said } }) => {
  if (said !== undefined) {
    if (socket?.readyState === WebSocket.OPEN) socket.send(said);
    return;
  }
  socket = new WebSocket(open);
  socket.addEventListener("open", () => self.postMessage({ kind: "open" }));
  socket.addEventListener("message", ({ data }) => self.postMessage({ kind: "message", data }));
  socket.addEventListener("close", ({ code, reason }) => self.postMessage({ kind: "close", code, reason }));
});
