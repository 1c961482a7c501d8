using System.Collections.Immutable;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Collectors.Redaction;

namespace AuditCli.Collectors.Aws.Protocols;

/// <summary>
/// Finds the places in an operation's responses that hold values which the provider's model marks as sensitive or the catalogue as secret,
/// and the places of page tokens. Every sensitive text is redacted, including bytes and documents, unless <see cref="AwsKeptMembers"/>
/// lists it; numbers, times and flags are kept. The tokens for the next page are kept too, because paging needs them.
/// </summary>
internal sealed class AnswerSecrets
{
    private static readonly RedactedPlace Sensitive = new("sensitive", "*");
    private readonly ServiceModel _service;
    private readonly OperationModel _operation;
    private readonly bool _json;
    private readonly bool _anySensitive;
    private readonly ImmutableArray<RedactedPlace> _tokens;
    private readonly ImmutableArray<RedactedPlace> _named;
    private readonly ImmutableArray<RedactedPlace> _kept;

    private AnswerSecrets(ServiceModel service, OperationModel operation)
    {
        (_service, _operation) = (service, operation);
        _json = service.Protocol is WireProtocol.Json or WireProtocol.RestJson;
        _anySensitive = operation.Output is { } output && AnySensitive(output, []);
        _tokens = operation is { Output: { } shape, Pager: { } pager }
            // A page token that is derived from the last row is in every row, which may hold a secret like any other.
            ? [
                .. pager.Outputs.SelectMany(o => o.Split("||", StringSplitOptions.TrimEntries))
                    .Where(o => !o.Contains(PageTokens.Last, StringComparison.Ordinal)).Select(o => Token(shape, o)),
            ]
            : [];
        _named = AwsSecretPlaces.Of(service.Name);
        _kept = _anySensitive ? AwsKeptMembers.Of(service.Name) : [];
    }

    /// <summary>Returns the places in a response that the operations define together; null if they define none.</summary>
    public static AnswerPlaces? Of(ServiceModel service, IEnumerable<OperationModel> operations)
    {
        ImmutableArray<AnswerSecrets> all =
        [
            .. operations.Select(o => new AnswerSecrets(service, o)).Where(s => s._anySensitive || !s._tokens.IsEmpty || !s._named.IsEmpty),
        ];
        return all switch
        {
            [] => null,
            [var only] => only.At,
            _ => at => all.Select(s => s.At(at)).OfType<RedactedPlace>().MinBy(p => ReferenceEquals(p, RedactedPlace.Stays) ? 0 : 1),
        };
    }

    private RedactedPlace? At(List<(string? Member, long Index)> at)
    {
        foreach (var token in _tokens)
        {
            // In XML the document and, in the query protocol, its wrapper have elements of their own.
            var around = _service.Protocol == WireProtocol.Query && _operation.Wrapper is not null ? 2 : 1;
            if (token.IsAt(at) && (_json || at.Count == token.Path.Length + around))
                return RedactedPlace.Stays;
        }
        foreach (var place in _named)
        {
            if (place.IsAt(at))
                return place;
        }
        return _anySensitive && IsSensitive(at) && !_kept.Any(k => k.IsAt(at)) ? Sensitive : null;
    }

    private bool AnySensitive(string shape, HashSet<string> seen)
    {
        return seen.Add(shape) && _service.Shape(shape) switch
        {
            ShapeModel.Structure structure => structure.Members.Any(Below),
            ShapeModel.List list => Below(list.Element),
            ShapeModel.Map map => Below(map.Value),
            _ => false,
        };

        bool Below(MemberReference member) => member.Sensitive || member.Secret || (member.Kind == MemberKind.Shape && AnySensitive(member.Shape, seen));
    }

    /// <summary>Returns the place in the response of a value given as a member path of the catalogue, such as <c>A.B</c>.</summary>
    private RedactedPlace Token(string output, string path)
    {
        var steps = ImmutableArray.CreateBuilder<string>();
        if (_json)
            steps.Add("");
        ShapeModel? shape = _service.Shape(output);
        foreach (var step in path.Split('.'))
        {
            var name = step.Split('[')[0];
            var structure = shape as ShapeModel.Structure;
            var member = structure?.Member(name);
            if (!_json || structure?.Payload is null || structure.Payload != name)
                steps.Add(member?.Wire ?? name);
            shape = Below(member);
            if (shape is ShapeModel.List list)
            {
                if (_json || member is { Flat: false })
                    steps.Add(_json ? "[]" : "*");
                shape = Below(list.Element);
            }
        }
        return new("", steps.ToImmutable());

        ShapeModel? Below(MemberReference? member) => member is { Kind: MemberKind.Shape } ? _service.Shape(member.Shape) : null;
    }

    /// <summary>
    /// Follows a wire path through the shapes. Everything below a sensitive member is sensitive, even members that the catalogue does not
    /// contain yet.
    /// </summary>
    private bool IsSensitive(List<(string? Member, long Index)> at)
    {
        var output = (ShapeModel.Structure)_service.Shape(_operation.Output!);
        var first = _json ? 0 : 1;
        if (_service.Protocol == WireProtocol.Query && _operation.Wrapper is { } wrapper)
        {
            if (at.Count < 2 || at[1].Member != wrapper)
                return false;
            first = 2;
        }
        return output.Payload is { } payload ? Value(output.Member(payload)!, first, false) : Shape(output, first, false);

        bool Value(MemberReference member, int i, bool sensitive)
        {
            sensitive |= member.Sensitive || member.Secret;
            return member.Kind switch
            {
                // A flat list or map has no XML element of its own; each of its elements carries the member's name.
                MemberKind.Shape when member.Flat && !_json => _service.Shape(member.Shape) switch
                {
                    ShapeModel.List list => Value(list.Element, i, sensitive),
                    ShapeModel.Map map => Entry(map, i, sensitive),
                    var structure => Shape(structure, i, sensitive),
                },
                MemberKind.Shape => Shape(_service.Shape(member.Shape), i, sensitive),
                MemberKind.String or MemberKind.Blob or MemberKind.Document => sensitive,
                _ => false,
            };
        }

        bool Shape(ShapeModel shape, int i, bool sensitive) => i == at.Count ? sensitive : shape switch
        {
            ShapeModel.Structure structure => OnWire(structure, at[i].Member) is { } member ? Value(member, i + 1, sensitive) : sensitive,
            ShapeModel.List list => Value(list.Element, i + 1, sensitive),
            ShapeModel.Map map when _json => Value(map.Value, i + 1, sensitive),
            ShapeModel.Map map => Entry(map, i + 1, sensitive),
            _ => sensitive,
        };

        // The key of an entry is kept, as the member names of JSON are.
        bool Entry(ShapeModel.Map map, int i, bool sensitive) =>
            i < at.Count && !map.Key.Wire.Equals(at[i].Member, StringComparison.OrdinalIgnoreCase) && Value(map.Value, i + 1, sensitive);
    }

    private MemberReference? OnWire(ShapeModel.Structure structure, string? name)
    {
        foreach (var member in structure.Members)
        {
            if (member.Wire.Equals(name, StringComparison.OrdinalIgnoreCase) || (member is { Flat: true, Kind: MemberKind.Shape }
                && _service.Shape(member.Shape) is ShapeModel.List { Element.WireName: { } own } && own.Equals(name, StringComparison.OrdinalIgnoreCase)))
                return member;
        }
        return null;
    }
}
