using System.Collections.Immutable;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using AuditCli.Hosting;

namespace AuditCli.Bundles;

/// <summary>Evaluates the registers of a control again from the tables of a bundle.</summary>
internal static class SealedRegisters
{
    /// <summary>Returns the registers as the results must list them.</summary>
    /// <exception cref="InvalidDataException">A table is not the one that was sealed; the message names it.</exception>
    /// <exception cref="IOException">A table cannot be read or copied, or no process can be started.</exception>
    public static async Task<ImmutableArray<RegisterResult>> EvaluateAsync(
        OpenedBundle bundle, ControlInScope scope, AuditMoment moment, ImmutableArray<RegisterResult>? given, EvaluationProcess process,
        CancellationToken cancellationToken)
    {
        var registers = new DerivedRegisters(scope, moment, process);
        var read = await registers.EvidenceAsync(cancellationToken);
        // The process reads files, and a table may be in an archive. Another table than the index names is said before a register depends on it.
        using var work = new WorkFolder();
        var copies = 0;
        async Task<string?> CopyAsync(string? table, Digest? sha256)
        {
            if (table is null)
                return null;
            foreach (var _ in TableRows.Of([new TableFile(table, sha256)]).Read(p => bundle.Files.Open(p, cancellationToken)))
                cancellationToken.ThrowIfCancellationRequested();
            var name = $"{copies++}";
            await using var sealedTable = bundle.Files.Open(table, cancellationToken);
            await using var copy = File.Create(Path.Combine(work.Path, name));
            await sealedTable.CopyToAsync(copy, cancellationToken);
            return name;
        }
        var items = ImmutableArray.CreateBuilder<EvidenceItem>(bundle.Index.Length);
        foreach (var item in bundle.Index)
        {
            items.Add(item.Names.Any(n => n.Control == scope.Control.Id && read.Contains(n.Name))
                ? item with { Table = await CopyAsync(item.Table, item.TableSha256), Calls = await CopyAsync(item.Calls, item.CallsSha256) }
                : item with { Table = null, Calls = null });
        }
        var evidence = new CollectedEvidence(work.Path, items.MoveToImmutable());
        return await registers.EvaluateAsync(evidence.PartitionsOf(scope.Control), given, cancellationToken);
    }
}
