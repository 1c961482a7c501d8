using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using AuditCli.Evidence.Attestation;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Text;

namespace AuditCli.Evidence.Verification;

/// <summary>
/// Verifies a bundle offline, as an auditor would with <c>find</c> and <c>sha256sum --check --strict</c>, and lists every
/// problem. It never follows a link, never leaves the bundle, and never blocks on a pipe. It is stricter than RFC 8493 wherever
/// the RFC lets two tools read one bag differently. A bundle is a folder, or a <c>.zip</c> or <c>.tar</c> file, which is read
/// without unpacking.
/// </summary>
public static class BundleVerifier
{
    /// <summary>
    /// Verifies a bundle. It reads every file once, so that each finding about a file is about the bytes that were hashed.
    /// </summary>
    /// <exception cref="DirectoryNotFoundException">
    /// Nothing exists at the path: a usage error, not a finding about evidence.
    /// </exception>
    public static Task<VerifyReport> VerifyAsync(string path, VerifyOptions options, CancellationToken cancellationToken) =>
        Task.Run(() => new Verification(path, options, depth: 0).Run(cancellationToken), cancellationToken);

    /// <summary>Verifies files that the caller opened.</summary>
    internal static VerifyReport Verify(BundleFiles files, VerifyOptions options, CancellationToken cancellationToken) =>
        new Verification("", options, depth: 0).Run(files, cancellationToken);

    /// <summary>Verifies a shard, and returns its manifest too, with which the bundle around it is compared.</summary>
    /// <param name="depth">The number of bundles around it.</param>
    internal static (VerifyReport Report, ImmutableArray<ManifestEntry> Manifest, AttestationFindings? Signed) VerifyShard(
        BundleFiles files, VerifyOptions options, int depth, CancellationToken cancellationToken)
    {
        var verification = new Verification("", options, depth);
        return (verification.Run(files, cancellationToken), verification.Manifest, verification.Signed);
    }

    private sealed class Verification(string path, VerifyOptions options, int depth)
    {
        private const int SmallFileLimit = 1024 * 1024;
        private const int MostThreads = 4;

        private readonly ConcurrentDictionary<string, byte[]> _kept = new(StringComparer.Ordinal);
        private readonly VerifyFindings _found = new(options.MaxProblems);
        private readonly EmptyTables _tables = new();

        public ImmutableArray<ManifestEntry> Manifest { get; private set; } = [];

        public AttestationFindings? Signed { get; private set; }

        public VerifyReport Run(CancellationToken cancellationToken)
        {
            using var files = Open(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)), cancellationToken);
            return files is null ? NothingReached() : Run(files, cancellationToken);
        }

        public VerifyReport Run(BundleFiles files, CancellationToken cancellationToken)
        {
            if (files.Name.EndsWith(BundleWriter.PartialSuffix, StringComparison.Ordinal))
            {
                _found.Fail(
                    VerifyQuestion.Files, VerifyCode.NotSealed, ".",
                    "the folder is a partial bundle, which was never sealed: 'auditcli run --resume' goes on with a run; delete what 'auditcli conclude' left");
                return NothingReached();
            }
            var tree = files.Tree(options.MaxEntries, cancellationToken);
            foreach (var link in tree.Links)
                _found.Fail(VerifyQuestion.Files, VerifyCode.SpecialFile, link, "is a link");
            foreach (var (folder, cause) in tree.Unreadable)
                _found.Undecided(VerifyQuestion.Files, VerifyCode.Unreadable, folder.Length == 0 ? "." : folder, cause);
            if (tree.TooMany)
            {
                _found.Fail(VerifyQuestion.Files, VerifyCode.LimitExceeded, ".", $"the bundle has more than {options.MaxEntries} entries");
                return NothingReached();
            }
            var present = new HashSet<string>(tree.Files, StringComparer.Ordinal);
            var tags = ReadTagManifest(files, present);
            var info = CheckTagFiles(files, present, tags);
            var entries = Manifest = ReadManifest(files, present, tags);
            var elsewhere = ReadFetch(files, present, tags, entries);
            var (bytes, counted) = CheckPayload(files, tree, present, entries, elsewhere, cancellationToken);
            var signed = Signed = CheckAttestation(files, tree, present);
            var shards = new ShardCheck(files, tree, entries, elsewhere, options, depth, _found).Run(cancellationToken);
            if (signed?.Statement is { } statement)
                CompareStatement(statement, tags.Digest, tree);
            else if (options.AsksForChain)
                _found.Fail(VerifyQuestion.Chain, VerifyCode.Unsigned, ".", "there is no signed statement to compare with");
            if (signed is null && options.TimeStampRoots is not null)
                _found.Fail(VerifyQuestion.Time, VerifyCode.TimeStampMissing, ".", "there is no signature that could have a time stamp");
            if (options.Locker is { } locker)
            {
                var faults = _found.Guarded<IReadOnlyList<(string Code, string Bundle, string Message)>>(
                    VerifyQuestion.Chain, locker, () => Locker.Check(locker, signed?.Head));
                foreach (var (code, bundle, message) in faults ?? [])
                    _found.Fail(VerifyQuestion.Chain, code, bundle, message);
            }
            if (depth > 0 && files is BundleArchive archive && !BundleArchiver.IsAsWritten(archive, tree.Files, info, cancellationToken))
            {
                _found.Fail(
                    VerifyQuestion.Files, VerifyCode.ContainerUnsafe, ".",
                    "is not byte for byte the archive that 'run --archive' writes of these files: its headers may hold something that no manifest covers");
            }
            // A copy of a holey bag may keep the folder of the archives that lie elsewhere.
            foreach (var folder in tree.EmptyFolders.Where(f => elsewhere.IsEmpty || f + "/" != BundleLayout.ShardsFolder))
                _found.Fail(VerifyQuestion.Files, VerifyCode.UnexpectedFile, folder, "is an empty folder");
            foreach (var file in present.Order(StringComparer.Ordinal))
            {
                _found.Fail(VerifyQuestion.Files, files.IsSpecial(file) ? VerifyCode.SpecialFile : VerifyCode.UnexpectedFile, file, FinderFiles.Is(file)
                    ? "is in no manifest; macOS's Finder leaves it in folders that it shows: delete it and verify again"
                    : "is in no manifest");
            }
            return Report(
                (entries.Length, bytes), signed, OxumAgrees(info, bytes, entries.Length, counted), shards,
                new(
                    PrintableText.Of(info.GetValueOrDefault("External-Identifier", "")) is { Length: > 0 } id ? id : null,
                    RunMode.Of(_kept.GetValueOrDefault(BundleLayout.Run)), tags.Digest));
        }

        private VerifyReport NothingReached() => Report(counts: null, signed: null, oxum: null, shards: null, new(null, null, null));

        /// <summary>
        /// Opens the folder or archive; returns null, after adding a problem, when it is neither or not safe to read.
        /// </summary>
        private BundleFiles? Open(string root, CancellationToken cancellationToken)
        {
            var folder = new DirectoryInfo(root);
            if (BundleTree.IsLink(folder) && (folder.Exists || folder.LinkTarget is not null))
            {
                _found.Fail(VerifyQuestion.Files, VerifyCode.SpecialFile, ".", "the bundle is a link; name the folder or archive itself");
                return null;
            }
            if (folder.Exists)
                return new BundleFolder(root);
            if (!Path.Exists(root))
                throw new DirectoryNotFoundException($"{root}: there is no bundle");
            return _found.Guarded<BundleFiles>(VerifyQuestion.Files, ".", () =>
            {
                var (archive, faults) = BundleArchive.Open(root, options.MaxEntries, cancellationToken);
                foreach (var fault in faults)
                    _found.Fail(VerifyQuestion.Files, fault.Code, fault.Path, fault.Message);
                return archive;
            });
        }

        private TagManifest ReadTagManifest(BundleFiles files, HashSet<string> present)
        {
            if (Take(files, present, BundleLayout.TagManifest, SmallFileLimit, VerifyQuestion.Manifest) is not { } content)
                return new(null, []);
            if (ManifestText.ParseTags(content) is { } entries)
                return new(Digest.Of(content), entries);
            _found.Fail(VerifyQuestion.Manifest, VerifyCode.ManifestMalformed, BundleLayout.TagManifest,
                $"must have exactly one line each for {string.Join(", ", BundleLayout.TagFiles)}, in this order, {BundleLayout.Fetch} only if it is there");
            return new(Digest.Of(content), []);
        }

        /// <summary>Checks the tag files and returns the members of bag-info.txt, as far as it can be read.</summary>
        private Dictionary<string, string> CheckTagFiles(BundleFiles files, HashSet<string> present, TagManifest tags)
        {
            if (Take(files, present, BundleLayout.BagIt, SmallFileLimit, VerifyQuestion.Manifest) is { } bagit)
            {
                Compare(tags.Entries, BundleLayout.BagIt, Digest.Of(bagit));
                if (Encoding.Latin1.GetString(bagit) != BundleLayout.BagItContent)
                    _found.Fail(VerifyQuestion.Manifest, VerifyCode.TypeUnsupported, BundleLayout.BagIt, "is not the declaration of BagIt 1.0 in UTF-8");
            }
            var members = new Dictionary<string, string>(StringComparer.Ordinal);
            if (Take(files, present, BundleLayout.BagInfo, SmallFileLimit, VerifyQuestion.Manifest) is not { } info)
                return members;
            Compare(tags.Entries, BundleLayout.BagInfo, Digest.Of(info));
            foreach (var line in Encoding.UTF8.GetString(info).TrimEnd('\n').Split('\n'))
            {
                var colon = line.IndexOf(": ", StringComparison.Ordinal);
                if (colon <= 0 || !members.TryAdd(line[..colon], line[(colon + 2)..]))
                    _found.Fail(VerifyQuestion.Manifest, VerifyCode.ManifestMalformed, BundleLayout.BagInfo,
                        "has a line that is not 'label: value', or a label twice");
            }
            return members;
        }

        private ImmutableArray<ManifestEntry> ReadManifest(BundleFiles files, HashSet<string> present, TagManifest tags)
        {
            if (Take(files, present, BundleLayout.Manifest, options.MaxManifestBytes, VerifyQuestion.Manifest) is not { } content)
                return [];
            Compare(tags.Entries, BundleLayout.Manifest, Digest.Of(content));
            var (entries, faults) = ManifestText.Parse(content, options.MaxEntries);
            foreach (var fault in faults)
                _found.Fail(VerifyQuestion.Manifest, fault.Code, fault.Path, fault.Message);
            return entries;
        }

        /// <summary>Returns the files of the payload that lie elsewhere, by path.</summary>
        private ImmutableDictionary<string, (string Url, long Length)> ReadFetch(
            BundleFiles files, HashSet<string> present, TagManifest tags, ImmutableArray<ManifestEntry> entries)
        {
            var none = ImmutableDictionary<string, (string Url, long Length)>.Empty;
            if (!tags.Entries.Any(t => t.Path == BundleLayout.Fetch)
                || Take(files, present, BundleLayout.Fetch, options.MaxManifestBytes, VerifyQuestion.Manifest) is not { } content)
            {
                return none;
            }
            Compare(tags.Entries, BundleLayout.Fetch, Digest.Of(content));
            var (elsewhere, faults) = FetchList.Parse(content);
            foreach (var fault in faults)
                _found.Fail(VerifyQuestion.Manifest, fault.Code, fault.Path, fault.Message);
            foreach (var path in elsewhere.Keys.Except(entries.Select(e => e.Path)).Order(StringComparer.Ordinal))
                _found.Fail(VerifyQuestion.Manifest, VerifyCode.ManifestMalformed, BundleLayout.Fetch, $"names {path}, which is not in the manifest");
            return elsewhere;
        }

        /// <summary>Compares the payload with the manifest; returns its size, and whether all of it could be counted.</summary>
        private (long Bytes, bool All) CheckPayload(
            BundleFiles files, BundleTree tree, HashSet<string> present, ImmutableArray<ManifestEntry> entries,
            ImmutableDictionary<string, (string Url, long Length)> elsewhere, CancellationToken cancellationToken)
        {
            // Hashed on several threads but reported in the manifest's order, so that the report is deterministic.
            var found = new (Digest Digest, long Size)?[entries.Length];
            var problems = new VerifyProblem?[entries.Length];
            var threads = new ParallelOptions
            {
                MaxDegreeOfParallelism = Math.Min(Environment.ProcessorCount, MostThreads),
                CancellationToken = cancellationToken,
            };
            Parallel.For(0, entries.Length, threads, n =>
            {
                if (tree.Files.Contains(entries[n].Path))
                    (found[n], problems[n]) = BundleFiles.Try(VerifyQuestion.Files, entries[n].Path, () => Hash(files, entries[n].Path, cancellationToken));
            });
            long bytes = 0;
            var all = true;
            for (var n = 0; n < entries.Length; n++)
            {
                var (file, expected) = entries[n];
                if (!present.Remove(file))
                {
                    if (elsewhere.TryGetValue(file, out var there))
                    {
                        bytes += there.Length;
                        continue;
                    }
                    all = false;
                    // A link in its place, or in one of its parent folders, is already reported.
                    if (!tree.Links.Any(l => file == l || file.StartsWith(l + "/", StringComparison.Ordinal)))
                        _found.Fail(VerifyQuestion.Files, VerifyCode.MissingFile, file, "is in the manifest but not in the bundle");
                    continue;
                }
                if (problems[n] is { } problem)
                    _found.Add(problem);
                all &= found[n] is not null;
                bytes += found[n]?.Size ?? 0;
                if (found[n] is { } read && read.Digest != expected)
                    _found.Fail(VerifyQuestion.Files, VerifyCode.ContentModified, file, $"has the SHA-256 {read.Digest}, not {expected}");
            }
            foreach (var problem in _tables.Problems(_kept.GetValueOrDefault(BundleLayout.Results)))
                _found.Add(problem);
            return (bytes, all);
        }

        /// <summary>
        /// Hashes a file and keeps the content of those that the report quotes, so that they are not read a second time.
        /// </summary>
        private (Digest Digest, long Size)? Hash(BundleFiles files, string file, CancellationToken cancellationToken)
        {
            if (_tables.Hash(files, file, options.MaxProblems, cancellationToken) is { } hashed)
                return hashed;
            if (!BundleFacts.Sources.Contains(file) || files.Read(file, BundleFacts.Limit) is not { } content)
                return files.Hash(file, cancellationToken);
            _kept[file] = content;
            return (Digest.Of(content), content.Length);
        }

        /// <summary>
        /// Checks the attestation; returns null when the bundle is not signed, or a part is missing or cannot be read.
        /// </summary>
        private AttestationFindings? CheckAttestation(BundleFiles files, BundleTree tree, HashSet<string> present)
        {
            var parts = AttestationFiles.Names.Where(n => present.Contains(AttestationFiles.PathOf(n))).ToHashSet(StringComparer.Ordinal);
            if (!parts.Contains(AttestationFiles.SignatureName))
            {
                present.ExceptWith(parts.Select(AttestationFiles.PathOf));
                if (!options.Trust.IsNobody || parts.Count > 0 || tree.EmptyFolders.Contains(BundleLayout.Attestation))
                    _found.Fail(VerifyQuestion.Signature, VerifyCode.Unsigned, ".", "the bundle is not signed");
                else if (!options.AllowUnsigned)
                    _found.Undecided(VerifyQuestion.Signature, VerifyCode.Unsigned, ".", "the bundle is not signed; give --allow-unsigned if that is expected");
                return null;
            }
            byte[]? Part(string name) => Take(files, present, AttestationFiles.PathOf(name), AttestationFiles.Limit, VerifyQuestion.Signature);
            var stamp = parts.Contains(AttestationFiles.TimeStampName) ? Part(AttestationFiles.TimeStampName) : null;
            // Take every part before testing any, so that each missing one is reported.
            var taken = (
                Part(AttestationFiles.SignatureName), Part(AttestationFiles.StatementName),
                Part(AttestationFiles.SigstoreName), Part(AttestationFiles.SignerName));
            if (taken is not ({ } signature, { } statement, { } sigstore, { } signer))
                return null;
            var found = new AttestationCheck(new(statement, signature, stamp, sigstore, signer), options, _found.Fail).Run();
            if (found.Signer is { } who && options.Trust.IsNobody)
            {
                _found.Undecided(
                    VerifyQuestion.KeyTrust, VerifyCode.SignerNotAsked, AttestationFiles.PathOf(AttestationFiles.SignerName),
                    $"signed by {who}; to check whether it is trusted, give its key, certificate or authority with --trust");
            }
            return found;
        }

        private void CompareStatement(BundleStatement statement, Digest? tagManifest, BundleTree tree)
        {
            if (tagManifest is { } found && found != statement.TagManifest)
                _found.Fail(VerifyQuestion.Manifest, VerifyCode.ContentModified, BundleLayout.TagManifest,
                    $"has the SHA-256 {found}, but the signature is for {statement.TagManifest}");
            // Missing or broken files are reported where they are checked; without them there is nothing to compare.
            var sources = BundleFacts.SourcesIn(Manifest).ToArray();
            if (sources.FirstOrDefault(s => !tree.Files.Contains(s)) is { } missing)
            {
                _found.Undecided(VerifyQuestion.Totals, VerifyCode.StatementNotCompared, missing, "is not there");
                return;
            }
            if (sources.FirstOrDefault(s => !_kept.ContainsKey(s)) is { } unread)
            {
                // A file that could not be read was reported when it was read.
                if (_found.Problems.Any(p => p.Path == unread))
                    _found.Undecided(VerifyQuestion.Totals, VerifyCode.StatementNotCompared, unread, "could not be read");
                else
                    _found.Fail(VerifyQuestion.Totals, VerifyCode.LimitExceeded, unread, $"is larger than {BundleFacts.Limit} bytes");
                return;
            }
            try
            {
                if (!statement.Facts.Agrees(BundleFacts.Of(file => _kept.TryGetValue(file, out var content) ? content : (ReadOnlyMemory<byte>?)null)))
                {
                    _found.Fail(
                        VerifyQuestion.Totals, VerifyCode.StatementInconsistent, AttestationFiles.PathOf(AttestationFiles.StatementName),
                        "contradicts the bundle about its identity, content or conclusions");
                }
            }
            catch (InvalidDataException e)
            {
                _found.Undecided(VerifyQuestion.Totals, VerifyCode.StatementNotCompared, BundleLayout.Run, e.Message);
            }
        }

        private bool? OxumAgrees(Dictionary<string, string> info, long bytes, int files, bool counted)
        {
            var actual = string.Create(CultureInfo.InvariantCulture, $"{bytes}.{files}");
            if (!info.TryGetValue("Payload-Oxum", out var stated))
            {
                _found.Fail(VerifyQuestion.Totals, VerifyCode.StatementInconsistent, BundleLayout.BagInfo, "there is no Payload-Oxum to compare with");
                return false;
            }
            if (stated == actual)
                return true;
            if (!counted)
            {
                _found.Undecided(
                    VerifyQuestion.Totals, VerifyCode.Unreadable, BundleLayout.BagInfo, $"Payload-Oxum is {stated}; not every file could be counted");
                return null;
            }
            _found.Fail(VerifyQuestion.Totals, VerifyCode.StatementInconsistent, BundleLayout.BagInfo, $"Payload-Oxum is {stated}, the payload has {actual}");
            return false;
        }

        /// <summary>
        /// Reads a required file and removes it from the list of files; returns null, after adding a problem, when that is not
        /// possible.
        /// </summary>
        private byte[]? Take(BundleFiles files, HashSet<string> present, string file, long limit, string question)
        {
            if (!present.Remove(file))
            {
                _found.Fail(question, VerifyCode.MissingFile, file, "is not in the bundle");
                return null;
            }
            var (content, problem) = BundleFiles.Try(question, file, () => files.Read(file, limit));
            if (problem is not null)
                _found.Add(problem);
            else if (content is null)
                _found.Fail(question, VerifyCode.LimitExceeded, file, $"is larger than {limit} bytes");
            else if (BundleFacts.Sources.Contains(file))
                _kept[file] = content;
            return content;
        }

        private void Compare(ImmutableArray<ManifestEntry> tags, string file, Digest found)
        {
            foreach (var (_, expected) in tags.Where(t => t.Path == file && t.Digest != found))
                _found.Fail(VerifyQuestion.Manifest, VerifyCode.ContentModified, file, $"has the SHA-256 {found}, not {expected}");
        }

        private VerifyReport Report((int Files, long Bytes)? counts, AttestationFindings? signed, bool? oxum, ShardCount? shards, Identity identity) =>
            new(
                VerifyLines.Of(_found, options, counts, signed, oxum, shards), [.. _found.Problems], _found.Count,
                identity.BundleId, identity.Mode, identity.TagManifest);

        private readonly record struct TagManifest(Digest? Digest, ImmutableArray<ManifestEntry> Entries);

        private sealed record Identity(string? BundleId, string? Mode, Digest? TagManifest);
    }
}
