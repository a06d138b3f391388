// A network between browser and server that can be looked at, cut and made to refuse.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';

export class Proxy {
    constructor(url) {
        this.target = new URL(url);
        this.sockets = new Set();
        this.requests = [];
        this.refuses = () => false;
        this.isCut = false;
        this.server = createServer((client) => this.pass(client));
    }

    static async before(url) {
        const proxy = new Proxy(url);
        proxy.server.listen(0, '127.0.0.1');
        await once(proxy.server, 'listening');
        proxy.url = `http://127.0.0.1:${proxy.server.address().port}`;
        return proxy;
    }

    // The requests whose first line has `text` in it.
    seen(text) {
        return this.requests.map(({ line }) => line).filter((line) => line.includes(text));
    }

    // How many of them are still under way.
    open(text) {
        return this.requests.filter(({ line, client }) => line.includes(text) && !client.destroyed).length;
    }

    // Waits until the connections of the first `count` such requests have ended.
    async ended(text, count) {
        const open = this.requests.filter(({ line }) => line.includes(text)).slice(0, count);
        await Promise.all(open.map(({ client }) => client.destroyed || once(client, 'close')));
    }

    // All connections end, and none comes to be until `mend`.
    cut() {
        this.isCut = true;
        this.sockets.forEach((socket) => socket.destroy());
    }

    mend() {
        this.isCut = false;
    }

    close() {
        this.cut();
        this.server.close();
    }

    pass(client) {
        client.on('error', () => {});
        if (this.isCut) {
            client.destroy();
            return;
        }
        const server = connect(Number(this.target.port), this.target.hostname);
        server.on('error', () => client.destroy());
        [client, server].forEach((socket) => {
            this.sockets.add(socket);
            socket.on('close', () => {
                this.sockets.delete(socket);
                client.destroy();
                server.destroy();
            });
        });
        client.on('data', (data) => this.forward(client, server, data));
        server.pipe(client);
    }

    forward(client, server, data) {
        const line = /^(GET|POST|HEAD) \S+ HTTP\/1\.1/.exec(data.toString('latin1'));
        if (line) {
            this.requests.push({ line: line[0], client });
            if (this.refuses(line[0])) {
                client.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
                return;
            }
        }
        server.write(data);
    }
}
