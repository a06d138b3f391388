// The SharedWorker: one connection for all pages of this server that the browser has open.

const ports = new Map();

const connection = new Connection(new URL('.', location.href), (id, message) => {
    const port = ports.get(id);
    if (port) port.postMessage(message);
});

self.onconnect = (event) => {
    const port = event.ports[0];
    const state = { id: 0 };
    port.onmessage = ({ data }) => safely(() => hear(port, state, data));
    port.postMessage({ ready: true });
};

function hear(port, state, { join, token, lock, update, leave, wake, online }) {
    if (join) enter(port, state, join, token, lock);
    if (update) connection.update(state.id, update);
    if (leave) depart(state.id);
    if (wake) connection.wake(online);
}

function enter(port, state, page, token, lock) {
    depart(state.id);
    const id = connection.join(page, token, (joined) => ports.set(joined, port));
    state.id = id;
    if (!id) port.postMessage({ full: true });
    else if (lock) watchOver(id, lock);
}

function depart(id) {
    ports.delete(id);
    connection.leave(id);
}

// A page holds its lock for as long as it lives: one that crashes has no chance to say that it goes.
function watchOver(id, lock) {
    navigator.locks.request(lock, () => depart(id)).catch(complain);
}
