// A copy of the site for each test, and the server that serves it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

const FIXTURE = new URL('../site/', import.meta.url);

// The programs to test: `name=program`, one a framework, separated by `;`.
export const SERVERS = (process.env.REKINDLE_TEST_SERVERS ?? '')
    .split(';')
    .filter(Boolean)
    .map((entry) => {
        const [name, ...program] = entry.split('=');
        return { name, program: program.join('=') };
    });

if (!SERVERS.length) {
    throw new Error('REKINDLE_TEST_SERVERS names no server; run these tests with `cargo xtask browser`');
}

export class Site {
    constructor(program, directory) {
        this.program = program;
        this.directory = directory;
    }

    static async copy(program) {
        const directory = await mkdtemp(join(tmpdir(), 'rekindle-browser-'));
        await cp(FIXTURE, directory, { recursive: true });
        return new Site(program, directory);
    }

    // Starts the server; on the port it had before, when it ran already.
    async start(environment = {}) {
        const port = this.url ? new URL(this.url).port : '0';
        this.child = spawn(this.program, [this.directory], {
            env: { ...process.env, PORT: port, ...environment },
            stdio: ['pipe', 'pipe', 'inherit'],
        });
        this.ended = once(this.child, 'exit');
        const lines = createInterface({ input: this.child.stdout });
        const [line] = await Promise.race([
            once(lines, 'line'),
            this.ended.then(() => { throw new Error(`${this.program} ended before it said its address`); }),
        ]);
        this.url = line.trim().replace(/\/$/, '');
        return this.url;
    }

    async stop() {
        if (!this.child) return;
        this.child.kill('SIGKILL');
        await this.ended;
        this.child = null;
    }

    async remove() {
        await this.stop();
        await rm(this.directory, { recursive: true, force: true });
    }

    read(file) {
        return readFile(join(this.directory, file), 'utf8');
    }

    // As editors save: a file beside it, then a rename.
    async write(file, text) {
        const temporary = join(this.directory, `${file}~`);
        await writeFile(temporary, text);
        await rename(temporary, join(this.directory, file));
    }

    async create(file, text) {
        await mkdir(dirname(join(this.directory, file)), { recursive: true });
        await this.write(file, text);
    }

    async edit(file, before, after) {
        const text = await this.read(file);
        if (!text.includes(before)) throw new Error(`${file} has no ${before}`);
        await this.write(file, text.replace(before, () => after));
    }

    async delete(file) {
        await rm(join(this.directory, file));
    }
}
