using System.Buffers;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Amazon.Runtime;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Collectors.Aws.Client;
using AuditCli.Collectors.Aws.Protocols;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Running;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Aws;

/// <summary>Reads AWS accounts by the operations of the catalogue.</summary>
public sealed class AwsCollector : ICollector
{
    private readonly AwsCatalogue _catalogue = new();
    private readonly TargetSessions<AwsSession> _sessions;
    private readonly ExchangeTransport _transport;
    private readonly TimeProvider _clock;
    private readonly Credentials _credentials;
    private readonly CredentialReport _credentialReport;

    /// <param name="transport">A live or replay transport; the collector does not own it.</param>
    /// <param name="clock">The clock for waits between attempts.</param>
    /// <param name="credentialExchange">Called for each request that returns credentials, for the run log.</param>
    public AwsCollector(ExchangeTransport transport, TimeProvider clock, Action<CredentialExchange> credentialExchange)
    {
        _transport = transport;
        _clock = clock;
        _credentials = new(clock, credentialExchange);
        _credentialReport = new(transport.IsReplay ? null : clock);
        _sessions = new(OpenAsync);
        if (!transport.IsReplay)
            _credentials.GuardClientsOfTheSdk();
    }

    /// <inheritdoc/>
    public ImmutableArray<string> UnusualEndpoints => _sessions.UnusualEndpoints;

    /// <inheritdoc/>
    /// <exception cref="CollectionException">
    /// There are no credentials, or the provider does not return a valid identity for them.
    /// </exception>
    public async Task<ImmutableArray<Connection>> ConnectAsync(Target target, CancellationToken cancellationToken)
    {
        var session = await _sessions.OpenAsync(target, cancellationToken);
        var own = await EnterAsync(target, session, cancellationToken);
        return target.Setting("organization") == "true"
            ? await new Organization(_catalogue, session).ConnectAsync(target, own, EnterAccountAsync, cancellationToken)
            : [own];

        async Task<Connection> EnterAccountAsync(string account)
        {
            // A role of the same name is assumed in each account. A replay needs no credentials: for a role that refused it finds no
            // recorded exchange.
            var credentials = _transport.IsReplay
                ? new AnonymousAWSCredentials()
                : await session.OnRoute(() => _credentials.AssumeAsync(
                    target, session.Credentials, Organization.RoleArn(target, own.Identity, account), session.HomeRegion));
            var entered = await EnterAsync(target, session.Enter(account, credentials), cancellationToken);
            return entered.Account == account
                ? entered
                : throw new CollectionException(AwsCodes.AnotherAccount, $"the role belongs to account {entered.Account}");
        }
    }

    /// <inheritdoc/>
    /// <exception cref="CollectionException">
    /// There is no response, or it is incomplete; the code is the provider's or the collector's.
    /// </exception>
    /// <exception cref="InvalidOperationException">The target was not connected to.</exception>
    public async IAsyncEnumerable<Page> CollectAsync(EvidenceRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var session = _sessions.Connected(request.Target).Of(request.Account);
        if (request.Operation.Name == TrailFiles.Operation.Name)
        {
            await foreach (var page in new TrailFiles(_catalogue, session).ReadAsync(request, cancellationToken))
                yield return page;
            yield break;
        }
        var (service, operation) = Find(request.Operation.Name);
        if (CredentialReport.Is(service, operation))
        {
            await foreach (var page in _credentialReport.ReadAsync(session, service, operation, request.Region, cancellationToken))
            {
                if (AccountId.Foreign(service, operation, page.Rows, request.Account, request.Region) is { } another)
                    throw another;
                yield return page;
            }
            yield break;
        }
        var read = new ReadRows($"{service.Name}:{operation.Name}");
        await foreach (var page in session.PagesAsync(service, operation, request.Parameters, request.Region, cancellationToken))
        {
            var (rows, fault) = AnswerRows.Read(service, operation, page.Content);
            fault ??= AccountId.Foreign(service, operation, rows, request.Account, request.Region)
                ?? AccountId.Misnamed(service, operation, rows, request.Parameters)
                ?? OwnResources.Repeated(service, operation, rows, read);
            yield return new(rows) { IsLast = page.IsLast && fault is null };
            if (fault is not null)
                throw fault;
        }
    }

    /// <inheritdoc/>
    public Task ReadyAsync(EvidenceRequest request, CancellationToken cancellationToken) =>
        _sessions.Connected(request.Target).Of(request.Account).ReadyAsync(request.Operation.Name, request.Region, cancellationToken);

    /// <summary>
    /// Calls one operation and returns the typed JSON of all its pages as one object: lists that continue over pages are joined, every
    /// other member is taken from the first page, and page tokens are omitted.
    /// </summary>
    /// <param name="operation">The operation in the form used by controls, such as <c>iam:ListUsers</c>.</param>
    /// <param name="place">Null for the target's home region.</param>
    /// <exception cref="CollectionException">There is no response, or the catalogue does not contain the operation.</exception>
    public async Task<JsonElement> CallAsync(
        Target target, string operation, ImmutableSortedDictionary<string, JsonElement> parameters, string? place, CancellationToken cancellationToken)
    {
        if (operation == TrailFiles.Operation.Name)
            return await EventsAsync(target, parameters, place, cancellationToken);
        var (service, found) = Find(operation);
        var session = await _sessions.OpenAsync(target, cancellationToken);
        var merged = new MergedPages(found);
        var asked = found.Scope == OperationScope.Global && place is null ? AwsSession.GlobalRegion : place ?? session.HomeRegion;
        await session.ReadyAsync(operation, asked, cancellationToken);
        await foreach (var page in session.PagesAsync(service, found, parameters, asked, cancellationToken))
        {
            _ = AnswerRows.Whole(service, found, page.Content);
            merged.Add(page.Content);
            if (!page.IsLast)
                await session.ReadyAsync(operation, asked, cancellationToken);
        }
        return merged.ToElement();
    }

    /// <summary>Returns the events of a trail in the form of its files: one object with <c>Records</c>.</summary>
    private async Task<JsonElement> EventsAsync(
        Target target, ImmutableSortedDictionary<string, JsonElement> parameters, string? region, CancellationToken cancellationToken)
    {
        var session = await _sessions.OpenAsync(target, cancellationToken);
        var account = Text(await FirstAsync(session, "sts:GetCallerIdentity", [], cancellationToken), "Account");
        var request = new EvidenceRequest(target.Name, account, region ?? session.HomeRegion, TrailFiles.Operation, parameters);
        var content = new ArrayBufferWriter<byte>();
        await using (var writer = new Utf8JsonWriter(content))
        {
            writer.WriteStartObject();
            writer.WriteStartArray("Records");
            await foreach (var page in new TrailFiles(_catalogue, session).ReadAsync(request, cancellationToken))
            {
                foreach (var row in page.Rows)
                    JsonOutput.AsItCame(writer, row.Value);
            }
            writer.WriteEndArray();
            writer.WriteEndObject();
        }
        return JsonElement.Parse(content.WrittenSpan);
    }

    /// <summary>Closes the clients; the transport remains open.</summary>
    public ValueTask DisposeAsync()
    {
        _sessions.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<AwsSession> OpenAsync(Target target, CancellationToken cancellationToken)
    {
        if (_transport.IsReplay)
        {
            return new(
                target.Name, account: null, null, new AnonymousAWSCredentials(), RecordedRegion(target) ?? DefaultRegion, _transport, _clock, () => null);
        }
        var route = Credentials.RouteOf(target);
        var (credentials, region) = await _credentials.ResolveAsync(target, route, cancellationToken);
        return new(target.Name, account: null, target.Setting("profile"), credentials, region ?? DefaultRegion, _transport, _clock, Follow);

        Route? Follow()
        {
            _credentials.Follow(route);
            return route;
        }
    }

    private static string DefaultRegion => Partitions.HomeRegion("us-east-1");

    /// <summary>Returns the region in the recorded host, which determines the partition; null for an emulator.</summary>
    private string? RecordedRegion(Target target) =>
        _transport.RecordedOrigin(new(target.Name, "sts", AwsSession.GlobalRegion))?.Host.Split('.').FirstOrDefault(Partitions.IsRegion);

    /// <summary>Calls STS for the identity of the credentials, and EC2 for the regions unless the target lists them.</summary>
    private async Task<Connection> EnterAsync(Target target, AwsSession session, CancellationToken cancellationToken)
    {
        var identity = await FirstAsync(session, "sts:GetCallerIdentity", [], cancellationToken);
        var (account, arn) = (AccountId.Of(Text(identity, "Account"), "sts:GetCallerIdentity"), Text(identity, "Arn"));
        if (AccountId.OfArn(arn) != account)
            throw new CollectionException(AwsCodes.AnotherAccount, $"sts:GetCallerIdentity reports account {account}, but {arn} belongs to another account");
        var meant = target.Setting("organization") != "true" && target.Settings.GetValueOrDefault("role_arn", []) is [.., var role]
            ? AccountId.OfArn(role)
            : null;
        if (meant is not null && meant != account)
            throw new CollectionException(AwsCodes.AnotherAccount, $"role_arn belongs to account {meant}, but sts:GetCallerIdentity reports account {account}");
        var entered = new Connection(target, account, arn, AwsSession.GlobalRegion, []);
        if (target.Settings.TryGetValue("regions", out var given) && given is not ["enabled"])
            return entered with { Regions = given };
        JsonElement answer;
        try
        {
            answer = await FirstAsync(session, "ec2:DescribeRegions", new() { ["AllRegions"] = true }, cancellationToken);
        }
        catch (CollectionException e)
        {
            // IAM and other global services are still read without the regions.
            return entered with { RegionsUnread = new(e.Code, $"the account's regions could not be listed (ec2:DescribeRegions): {e.Message}", 1) };
        }
        var all = answer.TryGetProperty("Regions", out var list)
            ? list.EnumerateArray().ToLookup(
                r => !r.TryGetProperty("OptInStatus", out var status) || status.GetString() != "not-opted-in",
                r => Region(Text(r, "RegionName")))
            : Enumerable.Empty<string>().ToLookup(_ => true);
        return all.Contains(true)
            ? entered with { Regions = [.. all[true].Order(StringComparer.Ordinal)], NotEnabled = [.. all[false].Order(StringComparer.Ordinal)] }
            : throw new CollectionException(Codes.MalformedResponse, "ec2:DescribeRegions names no enabled region, though every account has some");
    }

    /// <summary>Returns a region as the provider writes it, checked because it becomes a part of host names and of a file's name.</summary>
    /// <exception cref="CollectionException">The text is not a region, such as <c>../../etc</c>.</exception>
    private static string Region(string text) => Partitions.IsRegion(text)
        ? text
        : throw new CollectionException(Codes.MalformedResponse, $"ec2:DescribeRegions: '{text}' is not a region");

    private async Task<JsonElement> FirstAsync(AwsSession session, string name, JsonObject parameters, CancellationToken cancellationToken)
    {
        var (service, operation) = Find(name);
        var answer = await session.CallAsync(service, operation, parameters, AwsSession.GlobalRegion, cancellationToken);
        return TypedJson.Read(service, operation, answer);
    }

    private (ServiceModel Service, OperationModel Operation) Find(string name) => _catalogue.Find(name)
        ?? throw new CollectionException(Codes.RefusedReadOnly, $"{name} is not in the read-only catalogue");

    private static string Text(JsonElement e, string name) => JsonAnswer.Text(e, name, Codes.MalformedResponse);
}
