using System.Collections.Immutable;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Redaction;
using AuditCli.Evidence;

namespace AuditCli.Collectors;

/// <summary>The dependencies that a collector gets for one run.</summary>
/// <param name="CredentialUsed">Called for every credential exchange with its endpoint, time and status, never with a credential.</param>
public sealed record CollectorContext(ExchangeTransport Transport, TimeProvider Clock, Action<CredentialExchange> CredentialUsed);

/// <summary>
/// A kind of system that AuditCli can read, with everything that another part of the program needs to know of it: commands, help,
/// completion, templates, redaction and schemas are made from these values, so that a source is one folder and one line of
/// <see cref="CollectorCatalog"/>.
/// </summary>
public sealed record CollectorEntry
{
    /// <summary>The operations and the settings of a target, as plain data.</summary>
    public required EvidenceSource Source { get; init; }

    /// <summary>The provider's name for people, such as <c>Google Cloud</c>.</summary>
    public required string Title { get; init; }

    /// <summary>The class that <see cref="Open"/> creates.</summary>
    public required Type Implementation { get; init; }

    /// <summary>Opens the collector for one run. The caller disposes it.</summary>
    public required Func<CollectorContext, ICollector> Open { get; init; }

    /// <summary>
    /// Returns the permissions needed to collect the given operations from the given targets, including the connect. With no targets, it
    /// returns those for any target with default settings.
    /// </summary>
    public required Func<ImmutableArray<Operation>, ImmutableArray<Target>, PermissionDocument> Permissions { get; init; }

    /// <summary>The form of a permission document, for the help of <c>permissions</c>: <c>an IAM policy (JSON)</c>.</summary>
    public required string PermissionForm { get; init; }

    /// <summary>The wording and options of <c>call</c>.</summary>
    public required CallForm Call { get; init; }

    /// <summary>The target that <c>init</c> writes into a new engagement.</summary>
    public required StarterTarget Starter { get; init; }

    /// <summary>What <c>controls new</c> writes for an ID of this source.</summary>
    public required NewControlForm NewControl { get; init; }

    /// <summary>What the source reads without an engagement, with the credentials in the environment.</summary>
    public required QuickSubject Quick { get; init; }

    /// <summary>What of this source's exchanges is not stored, and what of them identifies a request.</summary>
    public required ExchangeFields Fields { get; init; }

    /// <summary>The failure codes of this source alone; those that several sources have are in <see cref="Collectors.Codes"/>.</summary>
    public required ImmutableArray<OwnCode> Codes { get; init; }

    /// <summary>The places in the source's responses whose values are secrets; marked ones may also come from its models.</summary>
    public ImmutableArray<RedactedPlace> SecretPlaces { get; init; } = [];

    /// <summary>
    /// Prefixes of values that name a secret in one of the source's stores and are not the secret, such as <c>aws/</c> of a managed key.
    /// </summary>
    public ImmutableArray<string> SecretReferences { get; init; } = [];

    /// <summary>
    /// The names in <see cref="Connection.Place"/> that no exchange contains, so that a re-performance cannot check them.
    /// </summary>
    public ImmutableArray<string> UncheckedPlaces { get; init; } = [];
}

/// <summary>The header fields and query parameters of a source's exchanges. Names are compared without case.</summary>
public sealed record ExchangeFields
{
    /// <summary>Header fields of requests and responses that carry credentials; they are never stored.</summary>
    public ImmutableArray<string> Dropped { get; init; } = [];

    /// <summary>Query parameters that carry credentials or signatures; they are never stored.</summary>
    public ImmutableArray<string> DroppedParameters { get; init; } = [];

    /// <summary>Request fields that select the operation, the form of the response or the billed project.</summary>
    public ImmutableArray<string> Key { get; init; } = [];

    /// <summary>Response fields with the provider's id of the request, in order of preference.</summary>
    public ImmutableArray<string> RequestIds { get; init; } = [];
}

/// <summary>An option of a command that gives a setting of a target.</summary>
/// <param name="Name">The option, such as <c>--region</c>.</param>
/// <param name="Value">The name of its value in the help.</param>
/// <param name="Description">One sentence for the help.</param>
/// <param name="Setting">The setting that it gives; empty if it gives none.</param>
public sealed record SettingOption(string Name, string Value, string Description, string Setting);

/// <summary>The wording and options of <c>call</c> for a source.</summary>
/// <param name="Description">What the subcommand does, in one sentence.</param>
/// <param name="Operation">The description of the argument OPERATION.</param>
/// <param name="Details">The help text after the options, with examples.</param>
/// <param name="Settings">Options that override a setting of the target.</param>
/// <param name="Place">The option for a region or project of the request; null if the source has none.</param>
/// <param name="PlaceOf">Returns the value of that option with which evidence is read again; null if it is not needed.</param>
public sealed record CallForm(
    string Description,
    string Operation,
    string Details,
    ImmutableArray<SettingOption> Settings,
    SettingOption? Place,
    Func<EvidenceItem, string?> PlaceOf);

/// <summary>The target that <c>init</c> writes into a new engagement.</summary>
/// <param name="Name">Its name, such as <c>prod</c>.</param>
/// <param name="Settings">Its settings as a YAML flow map.</param>
/// <param name="Remark">The comment after it: which other settings there are.</param>
public sealed record StarterTarget(string Name, string Settings, string Remark)
{
    /// <summary>Environment variables of the provider's own tools, of which one shows that somebody here uses the source.</summary>
    public ImmutableArray<string> Variables { get; init; } = [];

    /// <summary>Files below the home folder, of which one shows the same.</summary>
    public ImmutableArray<string> HomeFiles { get; init; } = [];

    /// <summary>Whether this machine is set up for the source. Nothing is read but whether the variables and files exist.</summary>
    public bool IsSetUp(Func<string, string?> environment) =>
        Variables.Any(v => !string.IsNullOrEmpty(environment(v)))
        || environment("HOME") is { Length: > 0 } home && HomeFiles.Any(f => File.Exists(Path.Combine(home, f)));
}

/// <summary>What a new control of a source begins with.</summary>
/// <param name="Code">The second part of the IDs of its controls, such as <c>AWS</c>.</param>
/// <param name="Operation">An operation without parameters, whose rows are items.</param>
/// <param name="Item">The text column of that operation that names the item.</param>
public sealed record NewControlForm(string Code, string Operation, string Item);

/// <summary>What a source reads without an engagement.</summary>
/// <param name="Description">The description of the option that names the source.</param>
public sealed record QuickSubject(string Description)
{
    /// <summary>The option for the only setting that must be known, a list; null if the source needs none.</summary>
    public SettingOption? Needs { get; init; }

    /// <summary>The environment variables in which the provider's own tools look for that setting, in order.</summary>
    public ImmutableArray<string> Variables { get; init; } = [];

    /// <summary>What to say if the setting is not known.</summary>
    public string Missing { get; init; } = "";
}
