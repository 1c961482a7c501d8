// Verifies a Sigstore bundle with the npm packages @sigstore/bundle and @sigstore/verify, without a transparency log.
// node sigstore-check.mjs BUNDLE.sigstore.json STATEMENT.json '{"key"?: PEM file, "authorities"?: PEM file, "tsa"?: PEM file}'
// In the files of authorities, each certificate is followed by its issuer. Prints {payload: "same", signer, timestamps}; fails otherwise.
import { bundleFromJSON } from "@sigstore/bundle";
import { Verifier, toSignedEntity, toTrustMaterial } from "@sigstore/verify";
import { createHash, createPublicKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";

const [file, statement, trust] = process.argv.slice(2);
const given = JSON.parse(trust);
const certificates = (path) => (readFileSync(path, "utf8").match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [])
  .map((pem) => ({ rawBytes: new X509Certificate(pem).raw }));
const authority = (path) => (path ? [{ certChain: { certificates: certificates(path) } }] : []);

const bundle = bundleFromJSON(JSON.parse(readFileSync(file, "utf8")));
if (!bundle.content.dsseEnvelope.payload.equals(readFileSync(statement))) throw new Error("the payload is not the statement");

const keys = {};
if (given.key) {
  const rawBytes = createPublicKey(readFileSync(given.key)).export({ type: "spki", format: "der" });
  keys[createHash("sha256").update(rawBytes).digest("hex")] = { rawBytes };
}
const material = toTrustMaterial(
  { certificateAuthorities: authority(given.authorities), timestampAuthorities: authority(given.tsa), tlogs: [], ctlogs: [] },
  keys,
);
const entity = toSignedEntity(bundle);
const verifier = new Verifier(material, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: given.tsa ? 1 : 0 });
const signer = verifier.verify(entity);
console.log(JSON.stringify({ payload: "same", signer: signer.key.asymmetricKeyType, timestamps: entity.timestamps.length }));
