using System.Collections.Immutable;
using AuditCli.Collectors.Redaction;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Running;

/// <summary>Searches what a run wrote for credentials, the last time before it is sealed.</summary>
internal sealed class SecretSearch(PreparedRun prepared, RunOptions options)
{
    private const string Allowed = "seal it unchanged with --allow-secrets, which the bundle will record";

    /// <summary>
    /// Searches the files of an unsealed bundle; its shards were searched before they were sealed. Returns the findings if --allow-secrets was
    /// given.
    /// </summary>
    /// <exception cref="InvalidDataException">A file holds what looks like a credential, and --allow-secrets was not given.</exception>
    public async Task<ImmutableArray<CredentialFound>> SearchAsync(BundleWriter bundle, CancellationToken cancellationToken)
    {
        var leaks = await Task.Run(
            () => CredentialScan.Find(
                bundle.PartialFolder, cancellationToken, f => f.StartsWith(BundleLayout.ShardsFolder, StringComparison.Ordinal)),
            cancellationToken);
        if (leaks is [var first, ..] && !options.AllowSecrets)
        {
            var others = leaks.Length switch { 1 => "", 2 => ", and so does another file", var all => $", and so do {all - 1} other files" };
            throw new InvalidDataException(
                $"{first.File}, near character {first.Offset}, holds what looks like a credential{others}; {Advice(first.File)}");
        }
        return leaks;
    }

    /// <summary>
    /// Returns what to do about a credential that was found, by the origin of its file. Files of people are searched before the first request,
    /// so they are found here only if the stopped run that is resumed had allowed them. What SQL assembles is replaced in its rows.
    /// </summary>
    private string Advice(string file) => file switch
    {
        _ when file.StartsWith(BundleLayout.InputsFolder, StringComparison.Ordinal) || file == BundleLayout.Engagement =>
            $"remove it from the file that you supplied and run again; if it is not one, {Allowed}",
        _ when file.StartsWith(BundleLayout.ControlsFolder, StringComparison.Ordinal) =>
            $"remove it from the control and run again; if it is not one, {Allowed}",
        _ when prepared is { Engagement.Replay: not null, Stopped: null } && file.StartsWith(BundleLayout.ExchangesFolder, StringComparison.Ordinal) =>
            $"it is in the recorded exchanges, which a replay copies unchanged: record them again with this version; if it is not one, {Allowed}",
        _ => $"it came from the provider, not from your files: inspect the file; if it is not one, {Allowed}",
    };
}
