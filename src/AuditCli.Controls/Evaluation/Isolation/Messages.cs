using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace AuditCli.Controls.Evaluation.Isolation;

/// <summary>What a child says before it is asked anything.</summary>
/// <param name="MemoryIsLimited">Whether the system holds it to the memory it may use.</param>
internal sealed record Readiness(EngineDescription Engine, bool MemoryIsLimited);

/// <summary>The question that the next slices are of.</summary>
/// <param name="IsSameControl">Whether the control is that of the question before, as with one fixture after another, so that its SQL is judged already.</param>
internal sealed record QuestionJob(ControlQuestion Question, bool IsSameControl);

/// <summary>One partition of the question asked last.</summary>
/// <param name="Killed">Steps that ended a process before, and why.</param>
internal sealed record SliceJob(Slice Slice, ImmutableDictionary<string, string> Killed);

/// <summary>A control whose SQL is to be looked at without evidence.</summary>
/// <inheritdoc cref="SliceJob" path="/param"/>
internal sealed record CheckJob(Control Control, ImmutableDictionary<string, string> Killed);

/// <summary>What is wrong or doubtful about a control's SQL.</summary>
internal sealed record CheckAnswer(ImmutableArray<SqlMessage> Messages);

/// <summary>The evidence that the SQL of a control's tests names.</summary>
internal sealed record EvidenceAnswer(ImmutableArray<TestEvidence> Tests);

/// <summary>The form of what passes between the processes. Both are the same program, so it has no version.</summary>
[JsonSourceGenerationOptions(IgnoreReadOnlyProperties = true, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, Converters = [typeof(DigestConverter)])]
[JsonSerializable(typeof(Readiness))]
[JsonSerializable(typeof(QuestionJob))]
[JsonSerializable(typeof(SliceJob))]
[JsonSerializable(typeof(CheckJob))]
[JsonSerializable(typeof(SliceOutcome))]
[JsonSerializable(typeof(CheckAnswer))]
[JsonSerializable(typeof(EvidenceAnswer))]
internal sealed partial class MessageContext : JsonSerializerContext;
