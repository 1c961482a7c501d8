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
        Task.Run(() => new Verification(path, options).Run(cancellationToken), cancellationToken);

    /// <summary>Verifies files that the caller opened.</summary>
    internal static VerifyReport Verify(BundleFiles files, VerifyOptions options, CancellationToken cancellationToken) =>
        new Verification("", options).Run(files, cancellationToken);

    private sealed class Verification(string path, VerifyOptions options)
    {
        private const int SmallFileLimit = 1024 * 1024;
        private const int MostThreads = 4;

        private readonly ConcurrentDictionary<string, byte[]> _kept = new(StringComparer.Ordinal);
        private readonly List<VerifyProblem> _problems = [];
        private readonly Dictionary<string, VerifyAnswer> _answers = new(StringComparer.Ordinal);
        private readonly EmptyTables _tables = new();
        private long _problemCount;

        public VerifyReport Run(CancellationToken cancellationToken)
        {
            using var files = Open(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)), cancellationToken);
            return files is null ? NothingReached() : Run(files, cancellationToken);
        }

        public VerifyReport Run(BundleFiles files, CancellationToken cancellationToken)
        {
            if (files.Name.EndsWith(BundleWriter.PartialSuffix, StringComparison.Ordinal))
                Fail(VerifyQuestion.Files, VerifyCode.NotSealed, ".", "the folder is a partial bundle, which was never sealed");
            var tree = files.Tree(options.MaxEntries, cancellationToken);
            foreach (var link in tree.Links)
                Fail(VerifyQuestion.Files, VerifyCode.SpecialFile, link, "is a link");
            foreach (var (folder, cause) in tree.Unreadable)
                Undecided(VerifyQuestion.Files, VerifyCode.Unreadable, folder.Length == 0 ? "." : folder, cause);
            if (tree.TooMany)
            {
                Fail(VerifyQuestion.Files, VerifyCode.LimitExceeded, ".", $"the bundle has more than {options.MaxEntries} entries");
                return NothingReached();
            }
            var present = new HashSet<string>(tree.Files, StringComparer.Ordinal);
            var tags = ReadTagManifest(files, present);
            var info = CheckTagFiles(files, present, tags);
            var entries = ReadManifest(files, present, tags);
            var (bytes, counted) = CheckPayload(files, tree, present, entries, cancellationToken);
            var signed = CheckAttestation(files, tree, present);
            if (signed?.Statement is { } statement)
                CompareStatement(statement, tags.Digest, tree);
            else if (ChainAsked)
                Fail(VerifyQuestion.Chain, VerifyCode.Unsigned, ".", "there is no signed statement to compare with");
            if (signed is null && options.TimeStampRoots is not null)
                Fail(VerifyQuestion.Time, VerifyCode.TimeStampMissing, ".", "there is no signature that could have a time stamp");
            if (options.Locker is { } locker)
            {
                var faults = Guarded<IReadOnlyList<(string Code, string Bundle, string Message)>>(
                    VerifyQuestion.Chain, locker, () => Locker.Check(locker, signed?.Head));
                foreach (var (code, bundle, message) in faults ?? [])
                    Fail(VerifyQuestion.Chain, code, bundle, message);
            }
            foreach (var folder in tree.EmptyFolders)
                Fail(VerifyQuestion.Files, VerifyCode.UnexpectedFile, folder, "is an empty folder");
            foreach (var file in present.Order(StringComparer.Ordinal))
                Fail(VerifyQuestion.Files, files.IsSpecial(file) ? VerifyCode.SpecialFile : VerifyCode.UnexpectedFile, file, FinderFiles.Is(file)
                    ? "is in no manifest; macOS's Finder leaves it in folders that it shows: delete it and verify again"
                    : "is in no manifest");
            return Report(
                (entries.Length, bytes), signed, OxumAgrees(info, bytes, entries.Length, counted),
                new(
                    PrintableText.Of(info.GetValueOrDefault("External-Identifier", "")) is { Length: > 0 } id ? id : null,
                    RunMode.Of(_kept.GetValueOrDefault(BundleLayout.Run)), tags.Digest));
        }

        private VerifyReport NothingReached() => Report(counts: null, signed: null, oxum: null, new(null, null, null));

        /// <summary>
        /// Opens the folder or archive; returns null, after adding a problem, when it is neither or not safe to read.
        /// </summary>
        private BundleFiles? Open(string root, CancellationToken cancellationToken)
        {
            var folder = new DirectoryInfo(root);
            if (BundleTree.IsLink(folder) && (folder.Exists || folder.LinkTarget is not null))
            {
                Fail(VerifyQuestion.Files, VerifyCode.SpecialFile, ".", "the bundle is a link; name the folder or archive itself");
                return null;
            }
            if (folder.Exists)
                return new BundleFolder(root);
            if (!Path.Exists(root))
                throw new DirectoryNotFoundException($"{root}: there is no bundle");
            return Guarded<BundleFiles>(VerifyQuestion.Files, ".", () =>
            {
                var (archive, faults) = BundleArchive.Open(root, options.MaxEntries, cancellationToken);
                foreach (var fault in faults)
                    Fail(VerifyQuestion.Files, fault.Code, fault.Path, fault.Message);
                return archive;
            });
        }

        private (Digest? Digest, ImmutableArray<ManifestEntry> Entries) ReadTagManifest(BundleFiles files, HashSet<string> present)
        {
            if (Take(files, present, BundleLayout.TagManifest, SmallFileLimit, VerifyQuestion.Manifest) is not { } content)
                return (null, []);
            if (ManifestText.ParseTags(content) is { } entries)
                return (Digest.Of(content), entries);
            Fail(VerifyQuestion.Manifest, VerifyCode.ManifestMalformed, BundleLayout.TagManifest,
                $"must have exactly one line each for {string.Join(", ", BundleLayout.TagFiles)}, in this order");
            return (Digest.Of(content), []);
        }

        /// <summary>Checks the tag files and returns the members of bag-info.txt, as far as it can be read.</summary>
        private Dictionary<string, string> CheckTagFiles(
            BundleFiles files, HashSet<string> present, (Digest? Digest, ImmutableArray<ManifestEntry> Entries) tags)
        {
            if (Take(files, present, BundleLayout.BagIt, SmallFileLimit, VerifyQuestion.Manifest) is { } bagit)
            {
                Compare(tags.Entries, BundleLayout.BagIt, Digest.Of(bagit));
                if (Encoding.Latin1.GetString(bagit) != BundleLayout.BagItContent)
                    Fail(VerifyQuestion.Manifest, VerifyCode.TypeUnsupported, BundleLayout.BagIt, "is not the declaration of BagIt 1.0 in UTF-8");
            }
            var members = new Dictionary<string, string>(StringComparer.Ordinal);
            if (Take(files, present, BundleLayout.BagInfo, SmallFileLimit, VerifyQuestion.Manifest) is not { } info)
                return members;
            Compare(tags.Entries, BundleLayout.BagInfo, Digest.Of(info));
            foreach (var line in Encoding.UTF8.GetString(info).TrimEnd('\n').Split('\n'))
            {
                var colon = line.IndexOf(": ", StringComparison.Ordinal);
                if (colon <= 0 || !members.TryAdd(line[..colon], line[(colon + 2)..]))
                    Fail(VerifyQuestion.Manifest, VerifyCode.ManifestMalformed, BundleLayout.BagInfo,
                        "has a line that is not 'label: value', or a label twice");
            }
            return members;
        }

        private ImmutableArray<ManifestEntry> ReadManifest(
            BundleFiles files, HashSet<string> present, (Digest? Digest, ImmutableArray<ManifestEntry> Entries) tags)
        {
            if (Take(files, present, BundleLayout.Manifest, options.MaxManifestBytes, VerifyQuestion.Manifest) is not { } content)
                return [];
            Compare(tags.Entries, BundleLayout.Manifest, Digest.Of(content));
            var (entries, faults) = ManifestText.Parse(content, options.MaxEntries);
            foreach (var fault in faults)
                Fail(VerifyQuestion.Manifest, fault.Code, fault.Path, fault.Message);
            return entries;
        }

        /// <summary>Compares the payload with the manifest; returns its size, and whether all of it could be counted.</summary>
        private (long Bytes, bool All) CheckPayload(
            BundleFiles files, BundleTree tree, HashSet<string> present, ImmutableArray<ManifestEntry> entries, CancellationToken cancellationToken)
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
                    all = false;
                    // A link in its place, or in one of its parent folders, is already reported.
                    if (!tree.Links.Any(l => file == l || file.StartsWith(l + "/", StringComparison.Ordinal)))
                        Fail(VerifyQuestion.Files, VerifyCode.MissingFile, file, "is in the manifest but not in the bundle");
                    continue;
                }
                if (problems[n] is { } problem)
                    Add(problem);
                all &= found[n] is not null;
                bytes += found[n]?.Size ?? 0;
                if (found[n] is { } read && read.Digest != expected)
                    Fail(VerifyQuestion.Files, VerifyCode.ContentModified, file, $"has the SHA-256 {read.Digest}, not {expected}");
            }
            foreach (var problem in _tables.Problems(_kept.GetValueOrDefault(BundleLayout.Results)))
                Add(problem);
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
                    Fail(VerifyQuestion.Signature, VerifyCode.Unsigned, ".", "the bundle is not signed");
                else if (!options.AllowUnsigned)
                    Undecided(VerifyQuestion.Signature, VerifyCode.Unsigned, ".", "the bundle is not signed; give --allow-unsigned if that is expected");
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
            var found = new AttestationCheck(new(statement, signature, stamp, sigstore, signer), options, Fail).Run();
            if (found.Signer is { } who && options.Trust.IsNobody)
            {
                Undecided(VerifyQuestion.KeyTrust, VerifyCode.SignerNotAsked, AttestationFiles.PathOf(AttestationFiles.SignerName),
                    $"signed by {who}; to check whether it is trusted, give its key, certificate or authority with --trust");
            }
            return found;
        }

        private void CompareStatement(BundleStatement statement, Digest? tagManifest, BundleTree tree)
        {
            if (tagManifest is { } found && found != statement.TagManifest)
                Fail(VerifyQuestion.Manifest, VerifyCode.ContentModified, BundleLayout.TagManifest,
                    $"has the SHA-256 {found}, but the signature is for {statement.TagManifest}");
            // Missing or broken files are reported where they are checked; without them there is nothing to compare.
            if (BundleFacts.Sources.FirstOrDefault(s => !tree.Files.Contains(s)) is { } missing)
            {
                Undecided(VerifyQuestion.Totals, VerifyCode.StatementNotCompared, missing, "is not there");
                return;
            }
            if (BundleFacts.Sources.FirstOrDefault(s => !_kept.ContainsKey(s)) is { } unread)
            {
                // A file that could not be read was reported when it was read.
                if (_problems.Any(p => p.Path == unread))
                    Undecided(VerifyQuestion.Totals, VerifyCode.StatementNotCompared, unread, "could not be read");
                else
                    Fail(VerifyQuestion.Totals, VerifyCode.LimitExceeded, unread, $"is larger than {BundleFacts.Limit} bytes");
                return;
            }
            try
            {
                if (!statement.Facts.Agrees(BundleFacts.Of(file => _kept[file])))
                {
                    Fail(VerifyQuestion.Totals, VerifyCode.StatementInconsistent, AttestationFiles.PathOf(AttestationFiles.StatementName),
                        "contradicts the bundle about its identity, content or conclusions");
                }
            }
            catch (InvalidDataException e)
            {
                Undecided(VerifyQuestion.Totals, VerifyCode.StatementNotCompared, BundleLayout.Run, e.Message);
            }
        }

        private bool? OxumAgrees(Dictionary<string, string> info, long bytes, int files, bool counted)
        {
            var actual = string.Create(CultureInfo.InvariantCulture, $"{bytes}.{files}");
            if (!info.TryGetValue("Payload-Oxum", out var stated))
            {
                Fail(VerifyQuestion.Totals, VerifyCode.StatementInconsistent, BundleLayout.BagInfo, "there is no Payload-Oxum to compare with");
                return false;
            }
            if (stated == actual)
                return true;
            if (!counted)
            {
                Undecided(VerifyQuestion.Totals, VerifyCode.Unreadable, BundleLayout.BagInfo, $"Payload-Oxum is {stated}; not every file could be counted");
                return null;
            }
            Fail(VerifyQuestion.Totals, VerifyCode.StatementInconsistent, BundleLayout.BagInfo, $"Payload-Oxum is {stated}, the payload has {actual}");
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
                Fail(question, VerifyCode.MissingFile, file, "is not in the bundle");
                return null;
            }
            var (content, problem) = BundleFiles.Try(question, file, () => files.Read(file, limit));
            if (problem is not null)
                Add(problem);
            else if (content is null)
                Fail(question, VerifyCode.LimitExceeded, file, $"is larger than {limit} bytes");
            else if (BundleFacts.Sources.Contains(file))
                _kept[file] = content;
            return content;
        }

        private void Compare(ImmutableArray<ManifestEntry> tags, string file, Digest found)
        {
            foreach (var (_, expected) in tags.Where(t => t.Path == file && t.Digest != found))
                Fail(VerifyQuestion.Manifest, VerifyCode.ContentModified, file, $"has the SHA-256 {found}, not {expected}");
        }

        private T? Guarded<T>(string question, string file, Func<T?> read)
        {
            var (value, problem) = BundleFiles.Try(question, file, read);
            if (problem is not null)
                Add(problem);
            return value;
        }

        private void Fail(string question, string code, string file, string message) => Add(new(question, code, file, message, VerifyAnswer.Fails));

        private void Undecided(string question, string code, string file, string message) => Add(new(question, code, file, message, VerifyAnswer.Undecided));

        private void Add(VerifyProblem problem)
        {
            // Escaped here because names in a hostile bundle may contain terminal escape sequences.
            problem = problem with { Path = PrintableText.Of(problem.Path), Message = PrintableText.Of(problem.Message) };
            _problemCount++;
            if (_problems.Count < options.MaxProblems)
                _problems.Add(problem);
            if (!_answers.TryGetValue(problem.Question, out var answer) || answer != VerifyAnswer.Fails)
                _answers[problem.Question] = problem.Answer;
        }

        /// <param name="counts">The payload's totals; null when its content was not read.</param>
        private VerifyReport Report((int Files, long Bytes)? counts, AttestationFindings? signed, bool? oxum, Identity identity)
        {
            var size = string.Create(CultureInfo.InvariantCulture, $"{counts?.Files} files, {counts?.Bytes} bytes");
            ImmutableArray<VerifyLine> lines =
            [
                Line(VerifyQuestion.Files, VerifyAnswer.Holds, $"{size}: all there, unchanged, and nothing else"),
                Line(
                    VerifyQuestion.Manifest, counts is null ? VerifyAnswer.NotChecked : VerifyAnswer.Holds,
                    counts is null ? "not reached" : "well-formed, and covered by the tag manifest"),
                Line(
                    VerifyQuestion.Signature, signed?.Signer is null ? VerifyAnswer.NotChecked : VerifyAnswer.Holds,
                    counts is null ? "not reached" : signed?.Signer is { } who ? $"by {who}" : "unsigned, as allowed"),
                Line(
                    VerifyQuestion.KeyTrust, signed?.Signer is null || options.Trust.IsNobody ? VerifyAnswer.NotChecked : VerifyAnswer.Holds,
                    options.Trust.IsNobody ? "no trusted signer was given (--trust)" : "the signer is among those trusted"),
                Line(
                    VerifyQuestion.Time, signed?.IsTimeTrusted is true ? VerifyAnswer.Holds : VerifyAnswer.NotChecked,
                    AttestationFindings.TimeWords(signed, options.TimeStampRoots is not null)),
                Line(
                    VerifyQuestion.Chain, ChainAsked && signed?.Statement is not null ? VerifyAnswer.Holds : VerifyAnswer.NotChecked,
                    AttestationFindings.ChainWords(signed, ChainAsked)),
                Line(
                    VerifyQuestion.Totals, oxum is true ? VerifyAnswer.Holds : VerifyAnswer.NotChecked,
                    oxum is true ? $"Payload-Oxum agrees: {size}" : "not reached"),
            ];
            return new(lines, [.. _problems], _problemCount, identity.BundleId, identity.Mode, identity.TagManifest);
        }

        private bool ChainAsked =>
            options.ExpectHead is not null || options.Challenge is not null || options.Previous is not null || options.Locker is not null;

        private VerifyLine Line(string question, VerifyAnswer otherwise, string detail)
        {
            if (!_answers.TryGetValue(question, out var answer))
                return new(question, otherwise, detail);
            var first = _problems.FirstOrDefault(p => p.Question == question && p.Answer == answer);
            return new(question, answer, first is null ? "see the problems" : $"{first.Code} {first.Path}: {first.Message}");
        }

        private sealed record Identity(string? BundleId, string? Mode, Digest? TagManifest);
    }
}
