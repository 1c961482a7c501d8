using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace AuditCli.Controls.Evaluation.Isolation;

/// <summary>The first message of a child, before any job.</summary>
/// <param name="MemoryIsLimited">Whether the operating system limits its memory.</param>
internal sealed record Readiness(EngineDescription Engine, bool MemoryIsLimited);

/// <summary>The evaluation to which the following slices belong.</summary>
/// <param name="IsSameControl">
/// Whether the control is that of the previous evaluation, as with one fixture after another, so that its SQL is already checked.
/// </param>
internal sealed record QuestionJob(ControlQuestion Question, bool IsSameControl);

/// <summary>One partition of the current evaluation.</summary>
/// <param name="Killed">Steps that ended an earlier process, and why.</param>
internal sealed record SliceJob(Slice Slice, ImmutableDictionary<string, string> Killed);

/// <summary>A control whose SQL is to be checked without evidence.</summary>
/// <inheritdoc cref="SliceJob" path="/param"/>
internal sealed record CheckJob(Control Control, ImmutableDictionary<string, string> Killed);

/// <summary>The errors and warnings about a control's SQL.</summary>
internal sealed record CheckAnswer(ImmutableArray<SqlMessage> Messages);

/// <summary>The evidence that the SQL of a control's tests names.</summary>
internal sealed record EvidenceAnswer(ImmutableArray<TestEvidence> Tests);

/// <summary>The JSON form of the messages between the processes. Both are the same program, so it has no version.</summary>
[JsonSourceGenerationOptions(
    IgnoreReadOnlyProperties = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    Converters = [typeof(DigestConverter)])]
[JsonSerializable(typeof(Readiness))]
[JsonSerializable(typeof(QuestionJob))]
[JsonSerializable(typeof(SliceJob))]
[JsonSerializable(typeof(CheckJob))]
[JsonSerializable(typeof(SliceOutcome))]
[JsonSerializable(typeof(CheckAnswer))]
[JsonSerializable(typeof(EvidenceAnswer))]
internal sealed partial class MessageContext : JsonSerializerContext;
