using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using AuditCli.Collectors.Redaction;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;
using AuditCli.Evidence.Text;

namespace AuditCli.Collectors.Running;

/// <summary>Identifies a question by the SHA-256 of the values that a parent row passes on.</summary>
internal readonly record struct QuestionKey(UInt128 First, UInt128 Second);

/// <summary>What one parent row passes on.</summary>
/// <param name="Parameters">All parameters of the request.</param>
/// <param name="Texts">The values for the columns <c>_with_&lt;Param&gt;</c>, in the order of the parameters.</param>
/// <param name="Failure">Why no request can be made for the row; null if one can.</param>
internal sealed record ParentQuestion(
    ImmutableSortedDictionary<string, JsonElement> Parameters, ImmutableArray<string?> Texts, (string Code, string Message)? Failure);

/// <summary>
/// Takes the parameters of a request from rows of the parent table (<c>with</c>). A row without a value, or with one of another kind
/// than the parameter takes, is a failure of that row: a request without the parameter could return everything.
/// </summary>
internal sealed class ParentValues
{
    private readonly PlannedRequest _request;
    private readonly ImmutableArray<(string Parameter, ColumnType Type, MemberPath Path)> _passedOn;

    /// <param name="columns">The columns of the parent's table.</param>
    public ParentValues(PlannedRequest request, ImmutableArray<Column> columns)
    {
        _request = request;
        _passedOn =
        [
            .. request.With.Select(w => (
                w.Key,
                request.Operation.Parameters.FirstOrDefault(p => p.Name == w.Key)?.Type ?? ColumnType.Json,
                MemberPath.Of(w.Value, name => columns.Any(c => c.Name == name)))),
        ];
    }

    /// <summary>
    /// Returns the same key for rows that ask the same. The parameters that no row passes on are the same for all of them.
    /// </summary>
    /// <param name="reference">The row's <c>_ref</c>, to tell rows apart that ask the same; null to take them for one.</param>
    public QuestionKey KeyOf(JsonElement row, string? reference = null)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        // A line end is in no value of a table's row, so it separates them.
        foreach (var (_, _, path) in _passedOn)
            hash.AppendData(Encoding.UTF8.GetBytes(path.In(row)?.GetRawText() + "\n"));
        hash.AppendData(Encoding.UTF8.GetBytes(reference ?? ""));
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(digest);
        return new(BinaryPrimitives.ReadUInt128BigEndian(digest), BinaryPrimitives.ReadUInt128BigEndian(digest[16..]));
    }

    public ParentQuestion In(JsonElement row)
    {
        var parameters = _request.Parameters;
        var texts = ImmutableArray.CreateBuilder<string?>(_passedOn.Length);
        (string Code, string Message)? failure = null;
        foreach (var (parameter, type, path) in _passedOn)
        {
            var found = path.In(row);
            texts.Add(found is { } text ? JsonMember.TextOrRaw(text) : null);
            if (found is not { } value)
                failure = (Codes.NoParentValue, $"a parent row has no {path}");
            else if (value.ValueKind == JsonValueKind.String && BodyRedaction.IsReplaced(value.GetString()!))
                failure = (Codes.NoParentValue, $"{path} of a parent row was replaced, because it is a secret");
            else if (PassedValue.Of(type, value) is { } fitted)
                parameters = parameters.SetItem(parameter, fitted);
            else
                failure = (Codes.NoParentValue, $"{path} of a parent row is {Kind(value)}, which the parameter {parameter} does not take");
        }
        return new(parameters, texts.ToImmutable(), failure);
    }

    private static string Kind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        _ => "a boolean",
    };
}
