using System.Collections.Concurrent;
using System.Text;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Collectors.Aws.Protocols;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Redaction;

namespace AuditCli.Collectors.Aws.Client;

/// <summary>
/// Identifies the catalogue operation of a request just before it is sent. It does not rely on the code above it and refuses every request
/// that it does not recognise.
/// </summary>
internal sealed class RequestCheck
{
    private readonly ServiceModel _service;
    private readonly Template[] _templates;
    private readonly ConcurrentDictionary<string, AnswerPlaces?> _places = new(StringComparer.Ordinal);

    public RequestCheck(ServiceModel service)
    {
        _service = service;
        _templates = service.Protocol is WireProtocol.RestJson or WireProtocol.RestXml
            ? [.. service.OperationNames.Select(n => new Template(service, service.Operation(n)!))]
            : [];
    }

    /// <summary>Returns why the request may not be sent; null if the catalogue lists it.</summary>
    public string? Refusal(HttpRequestMessage request)
    {
        var asked = Asked(request).FirstOrDefault();
        return asked is not null && _service.Operation(asked) is not null
            ? null
            : $"{request.Method} {request.RequestUri?.Shown()} ({_service.Name}{(asked is null ? "" : ":" + asked)}) is not in the read-only catalogue";
    }

    /// <summary>
    /// Returns the places of sensitive values and page tokens in the response to a request. Several operations may match a path, when one
    /// requires less than the other; then a value is sensitive if any of them says so, and a page token of any of them is kept.
    /// </summary>
    public AnswerPlaces? Places(HttpRequestMessage request)
    {
        var asked = string.Join(' ', Asked(request));
        return _places.GetOrAdd(asked, names => AnswerSecrets.Of(_service, [.. names.Split(' ').Select(_service.Operation).OfType<OperationModel>()]));
    }

    private IEnumerable<string> Asked(HttpRequestMessage request) => _service.Protocol switch
    {
        WireProtocol.Query or WireProtocol.Ec2 => FormAction(request) is { } action ? [action] : [],
        WireProtocol.Json => TargetAction(request) is { } action ? [action] : [],
        _ => _templates.Where(t => t.Matches(request.Method.Method, request.RequestUri!)).Select(t => t.Operation),
    };

    private static string? FormAction(HttpRequestMessage request)
    {
        if (request.Method != HttpMethod.Post || request.Content is not { } content || request.RequestUri!.Query.Length > 0)
            return null;
        using var reader = new StreamReader(content.ReadAsStream(), Encoding.UTF8, leaveOpen: true);
        var actions = reader.ReadToEnd().Split('&')
            .Select(p => p.Split('=', 2))
            .Where(p => Uri.UnescapeDataString(p[0]) == "Action")
            .ToArray();
        content.ReadAsStream().Position = 0;
        return actions is [[_, var action]] ? Uri.UnescapeDataString(action) : null;
    }

    private string? TargetAction(HttpRequestMessage request) =>
        request.Method == HttpMethod.Post && request.Headers.NonValidated.TryGetValues("X-Amz-Target", out var values) && values.Count == 1
            && values.ToString().Split('.') is [.., var operation] parts && string.Join('.', parts[..^1]) == _service.TargetPrefix
            ? operation
            : null;

    /// <summary>The method, path and fixed query of one REST operation.</summary>
    private sealed class Template
    {
        private readonly string _method;
        private readonly string[] _segments;
        private readonly string[] _query;
        private readonly string[] _required;

        public Template(ServiceModel service, OperationModel operation)
        {
            Operation = operation.Name;
            _method = operation.Method;
            var parts = operation.UriTemplate.Split('?', 2);
            _segments = parts[0].Trim('/').Split('/');
            _query = parts.Length == 1 ? [] : parts[1].Split('&');
            // s3:ListParts has the same path as s3:GetObject; only the required query parameters differ.
            var input = operation.Input is { } name ? (ShapeModel.Structure)service.Shape(name) : null;
            _required = [.. (input?.Members ?? []).Where(m => m.Location == MemberLocation.Query && input!.Required.Contains(m.Name)).Select(m => m.Wire)];
        }

        public string Operation { get; }

        public bool Matches(string method, Uri uri)
        {
            if (method != _method)
                return false;
            var given = uri.Query.TrimStart('?').Split('&');
            return _query.All(q => given.Any(g => g == q || g == q + "="))
                && _required.All(q => given.Any(g => g.StartsWith(q + "=", StringComparison.Ordinal))) && Path(uri.AbsolutePath.Trim('/').Split('/'));
        }

        private bool Path(string[] given)
        {
            if (given.Any(PathSegments.Leads))
                return false;
            for (var i = 0; i < _segments.Length; i++)
            {
                if (_segments[i].EndsWith("+}", StringComparison.Ordinal))
                    return given.Length > i && given[i].Length > 0;
                if (i >= given.Length)
                    return false;
                var variable = _segments[i].StartsWith('{');
                if (variable ? given[i].Length == 0 : given[i] != _segments[i])
                    return false;
            }
            return given.Length == _segments.Length;
        }
    }
}
