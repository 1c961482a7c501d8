using System.Collections.Immutable;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Controls.Loading;
using AuditCli.Evidence.Text;

namespace AuditCli.Libraries;

/// <summary>Loads and checks libraries of controls.</summary>
internal static class ChosenLibrary
{
    /// <summary>The folder in which <c>controls new</c> begins a library unless another is named.</summary>
    public const string OwnFolder = "controls";

    private const string WarningWord = "warning: ";

    /// <summary>
    /// Names the library of a folder, or the shipped one for null. Says where the working folder has a library that was not read, because an
    /// author could take the result for that of their own controls.
    /// </summary>
    public static string Name(string? folder, AuditHost host) =>
        folder is not null ? PrintableText.Of(folder)
        : host.WorkingFolder.Length > 0 && Directory.Exists(host.FullPath(OwnFolder))
            ? $"the shipped one; ./{OwnFolder} was not read, which --controls {OwnFolder} does"
        : "the shipped one";

    /// <summary>Loads the controls of a folder, or the shipped ones for null. Messages show the folder as it was given.</summary>
    public static ControlLibrary Load(string? folder, AuditHost host)
    {
        var files = ShippedLibrary.Files();
        var digests = ShippedLibrary.Digests(files);
        return folder is null
            ? ControlLibrary.Load(files, host.Sources, digests)
            : ControlLibrary.Load(host.FullPath(folder), host.Sources, digests);
    }

    /// <summary>Returns the packs of a folder of controls, or the shipped ones for null, and the faults of the folder.</summary>
    public static (ImmutableArray<LibraryFile> Files, ImmutableArray<Diagnostic> Faults) Packs(string? folder, AuditHost host) => folder is null
        ? (ShippedLibrary.In(ControlPack.Folder), [])
        : LibraryFile.ReadPacks(host.FullPath(folder));

    /// <summary>Returns the shipped frameworks, and over them those of a folder of controls; one of the folder wins by its key.</summary>
    public static FrameworkList Frameworks(string? folder, AuditHost host)
    {
        var (own, faults) = folder is null ? ([], []) : LibraryFile.ReadFrameworks(host.FullPath(folder));
        var list = FrameworkList.Load(ShippedLibrary.In(Framework.Folder), own);
        return list with { Faults = [.. faults, .. list.Faults] };
    }

    /// <summary>Finds one pack; returns null, and the faults, when it does not exist or is invalid, or when the folder has faults.</summary>
    public static (ControlPack? Pack, ImmutableArray<Diagnostic> Faults) FindPack(
        string name, string? folder, ControlLibrary library, FrameworkList frameworks, AuditHost host)
    {
        var (files, faults) = Packs(folder, host);
        return faults.IsEmpty ? ControlPack.Find(name, files, [.. library.Controls.Select(c => c.Control)], frameworks) : (null, faults);
    }

    /// <summary>
    /// Returns the packs whose names match a name or glob. Returns none, and the faults, when none does or one of them is invalid.
    /// </summary>
    public static (ImmutableArray<ControlPack> Packs, ImmutableArray<Diagnostic> Faults) FindPacks(
        string nameOrGlob, string? folder, ControlLibrary library, FrameworkList frameworks, AuditHost host)
    {
        var (files, unread) = Packs(folder, host);
        if (!unread.IsEmpty)
            return ([], unread);
        ImmutableArray<Control> controls = [.. library.Controls.Select(c => c.Control)];
        var names = files.Select(ControlPack.NameOf).Where(n => IdGlob.Matches(nameOrGlob, n)).DefaultIfEmpty(nameOrGlob);
        var read = names.Select(n => ControlPack.Find(n, files, controls, frameworks)).ToArray();
        var faults = read.SelectMany(r => r.Faults).ToImmutableArray();
        return (faults.IsEmpty ? [.. read.Select(r => r.Pack!)] : [], faults);
    }

    /// <summary>Whether a diagnostic is only a warning.</summary>
    public static bool IsWarning(Diagnostic found) => found.Message.StartsWith(WarningWord, StringComparison.Ordinal);

    /// <summary>Returns the warnings about parameters whose allowed form the author does not state completely.</summary>
    public static ImmutableArray<Diagnostic> ParameterDoubts(LoadedControl loaded) =>
    [
        .. loaded.Control.Parameters.Where(p => p.FormMissing is not null)
            .Select(p => loaded.FaultIn($"parameters.{p.Name}", 1, 1, WarningWord + p.FormMissing)),
    ];

    /// <summary>Returns a warning for each line of a control's file that still holds what <c>controls new</c> leaves to its author.</summary>
    public static ImmutableArray<Diagnostic> Unfinished(LoadedControl loaded) =>
    [
        .. System.Text.Encoding.UTF8.GetString(loaded.Control.Source.Span).Split('\n').Index()
            .Where(l => !l.Item.TrimStart().StartsWith('#') && l.Item.Contains("TODO:", StringComparison.Ordinal))
            .Select(l => new Diagnostic(
                loaded.Control.File, l.Index + 1, l.Item.IndexOf("TODO:", StringComparison.Ordinal) + 1,
                $"{WarningWord}a TODO is left; write what it asks for, since readers of the workpaper see it", DiagnosticKind.Meaning)),
    ];

    /// <summary>Checks every SQL text of a control: whether it is allowed, and whether it binds against empty tables.</summary>
    /// <param name="forAuthors">Whether to include warnings, and faults that do not prevent a run.</param>
    public static async Task<ImmutableArray<Diagnostic>> CheckSqlAsync(
        LoadedControl loaded, EvaluationProcess evaluation, bool forAuthors, CancellationToken cancellationToken) =>
    [
        .. (await ControlSql.CheckAsync(loaded.Control, evaluation, cancellationToken))
            .Where(m => forAuthors || m is { IsWarning: false, IsForAuthors: false }).Select(m =>
            {
                var (line, column) = ControlSql.Place(loaded.Control, m);
                return loaded.FaultIn(m.Key, line, column, (m.IsWarning ? WarningWord : "") + WhichTest(loaded.Control, m) + m.Message);
            }),
    ];

    /// <summary>
    /// Returns the id of the test that a message is about, as a prefix, because the line of SQL does not show it; empty if it is not about
    /// a test.
    /// </summary>
    private static string WhichTest(Control control, SqlMessage message) =>
        ControlSql.TestOf(control, message.Key) is { } test ? $"{test.Id}: " : "";
}
