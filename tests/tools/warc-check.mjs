// Reads WARC files with the npm package warcio and recomputes every block and payload digest with Node's own SHA-256.
// Prints {files, records, types, digests, bad}; exits 1 when a digest differs or nothing was read.
import { WARCParser } from "warcio";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

const sha256 = (bytes) => "sha256:" + createHash("sha256").update(bytes).digest("hex");
const found = { files: 0, records: 0, types: {}, digests: 0, bad: [] };

for (const file of process.argv.slice(2)) {
  found.files++;
  const parser = new WARCParser(createReadStream(file), { keepHeadersCase: true });
  for await (const record of parser) {
    found.records++;
    found.types[record.warcType] = (found.types[record.warcType] ?? 0) + 1;
    const payload = Buffer.from((await record.readFully(false)) ?? []);
    const head = record.httpHeaders ? Buffer.from(record.httpHeaders.toString() + "\r\n") : Buffer.alloc(0);
    const stated = {
      "WARC-Payload-Digest": sha256(payload),
      "WARC-Block-Digest": sha256(Buffer.concat([head, payload])),
    };
    for (const [field, digest] of Object.entries(stated)) {
      const written = record.warcHeader(field);
      if (!written) continue;
      found.digests++;
      if (written !== digest) found.bad.push(`${file} ${record.warcHeader("WARC-Record-ID")} ${field}`);
    }
  }
}

console.log(JSON.stringify(found));
process.exit(found.records === 0 || found.bad.length > 0 ? 1 : 0);
