using System.Collections.Immutable;
using System.Globalization;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Evidence.Verification;

/// <summary>Answers the questions of a verification in words, one line each.</summary>
internal static class VerifyLines
{
    /// <param name="counts">The payload's totals; null when its content was not read.</param>
    /// <param name="oxum">Whether the totals are those of bag-info.txt; null when that was not reached.</param>
    /// <param name="shards">Null for a bundle without shards, of which nothing is said about them.</param>
    public static ImmutableArray<VerifyLine> Of(
        VerifyFindings found, VerifyOptions options, (int Files, long Bytes)? counts, AttestationFindings? signed, bool? oxum, ShardCount? shards)
    {
        var size = string.Create(CultureInfo.InvariantCulture, $"{counts?.Files} files, {counts?.Bytes} bytes");
        return
        [
            found.Line(VerifyQuestion.Files, VerifyAnswer.Holds, shards is { } some && some.Here < some.All
                ? $"{size}: unchanged, and nothing else; not every shard is here"
                : $"{size}: all there, unchanged, and nothing else"),
            found.Line(
                VerifyQuestion.Manifest, counts is null ? VerifyAnswer.NotChecked : VerifyAnswer.Holds,
                counts is null ? "not reached" : "well-formed, and covered by the tag manifest"),
            found.Line(
                VerifyQuestion.Signature, signed?.Signer is null ? VerifyAnswer.NotChecked : VerifyAnswer.Holds,
                counts is null ? "not reached" : signed?.Signer is { } who ? $"by {who}" : "unsigned, as allowed"),
            found.Line(
                VerifyQuestion.KeyTrust, signed?.Signer is null || options.Trust.IsNobody ? VerifyAnswer.NotChecked : VerifyAnswer.Holds,
                options.Trust.IsNobody ? "no trusted signer was given (--trust)" : "the signer is among those trusted"),
            found.Line(
                VerifyQuestion.Time, signed?.IsTimeTrusted is true ? VerifyAnswer.Holds : VerifyAnswer.NotChecked,
                AttestationFindings.TimeWords(signed, options.TimeStampRoots is not null)),
            found.Line(
                VerifyQuestion.Chain, options.AsksForChain && signed?.Statement is not null ? VerifyAnswer.Holds : VerifyAnswer.NotChecked,
                AttestationFindings.ChainWords(signed, options.AsksForChain)),
            found.Line(
                VerifyQuestion.Totals, oxum is true ? VerifyAnswer.Holds : VerifyAnswer.NotChecked,
                oxum is true ? $"Payload-Oxum agrees: {size}" : "not reached"),
            .. shards is not { } count ? [] : new[]
            {
                found.Line(VerifyQuestion.Shards, VerifyAnswer.Holds, $"{count.Here} of {count.All} are here, each whole and of this engagement"),
            },
        ];
    }
}
