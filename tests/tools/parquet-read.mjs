// Reads a Parquet file with hyparquet, an independent program, and prints its rows and metadata.
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';

const file = await asyncBufferFromFile(process.argv[2]);
const metadata = await parquetMetadataAsync(file);
const rows = await parquetReadObjects({ file });
const plain = (_, value) => typeof value === 'bigint' ? Number(value) : value;
console.log(JSON.stringify({
  metadata: Object.fromEntries((metadata.key_value_metadata ?? []).map(m => [m.key, m.value])),
  rows,
}, plain));
