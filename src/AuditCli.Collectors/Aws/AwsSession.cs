using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Amazon.Runtime;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Collectors.Aws.Client;
using AuditCli.Collectors.Aws.Protocols;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Redaction;
using AuditCli.Collectors.Running;

namespace AuditCli.Collectors.Aws;

/// <summary>Holds the credentials and clients of a target, or of one of its accounts: one client per service and region.</summary>
/// <param name="account">
/// The account, if the target reaches it besides its own. Its exchanges are in separate files, since every account gets the same requests.
/// Null for the target's own account.
/// </param>
/// <param name="homeRegion">The region for requests without a region.</param>
/// <param name="clock">The clock for waits between attempts; a replay does not wait.</param>
/// <param name="follow">
/// Makes credentials that are renewed in this async flow use the target's route, and returns the route; null in a replay.
/// </param>
internal sealed class AwsSession(
    string target, string? account, string? profile, AWSCredentials credentials, string homeRegion, ExchangeTransport transport,
    TimeProvider clock, Func<Route?> follow)
    : ITargetSession
{
    /// <summary>The region name for resources that exist once per account.</summary>
    public const string GlobalRegion = "aws-global";

    private readonly ConcurrentDictionary<(string Service, string Region, string? BucketRegion, ObjectsOfTrail? Objects), Lazy<AwsServiceClient>>
        _clients = new();

    private readonly BucketRegions _buckets = new();

    private readonly ConcurrentDictionary<string, AwsSession> _accounts = new(StringComparer.Ordinal);

    private readonly ConcurrentDictionary<(string Operation, string Region), RequestPace> _paces = new();

    public string HomeRegion => homeRegion;

    public AWSCredentials Credentials => credentials;

    /// <summary>Returns the session of an account: the one entered for it, or this one.</summary>
    public AwsSession Of(string asked) => _accounts.GetValueOrDefault(asked, this);

    /// <summary>Opens another account of the target with its own credentials.</summary>
    public AwsSession Enter(string another, AWSCredentials own) =>
        _accounts.GetOrAdd(another, _ => new(target, another, profile, own, homeRegion, transport, clock, follow));

    /// <summary>Runs work that needs credentials, with the target's route for renewing them.</summary>
    public async Task<T> OnRoute<T>(Func<Task<T>> work)
    {
        follow();
        return await work();
    }

    /// <summary>
    /// Waits until an operation may be called again in a region, if the provider's limit is known. A replay does not wait.
    /// </summary>
    public Task ReadyAsync(string operation, string region, CancellationToken cancellationToken) =>
        Pace(operation, region)?.WaitAsync(cancellationToken) ?? Task.CompletedTask;

    /// <summary>Makes one call, including retries and an S3 redirect.</summary>
    /// <exception cref="CollectionException">
    /// There is no response, with the provider's or the collector's code, or the region is not valid.
    /// </exception>
    public Task<AwsAnswer> CallAsync(
        ServiceModel service, OperationModel operation, JsonObject parameters, string region, CancellationToken cancellationToken) =>
        CallAsync(service, operation, parameters, region, null, cancellationToken);

    /// <summary>Makes one call with a client that may read only the objects of one trail.</summary>
    /// <exception cref="CollectionException">There is no response, with the provider's or the collector's code.</exception>
    public async Task<AwsAnswer> CallAsync(
        ServiceModel service, OperationModel operation, JsonObject parameters, string region, ObjectsOfTrail? objects, CancellationToken cancellationToken)
    {
        var answer = await AskedAsync(service, operation, parameters, region, objects, cancellationToken);
        // Any other 2xx status means a partial or a deferred response.
        if (answer.Status != 200 && answer.Status != operation.Status)
        {
            throw new CollectionException(Codes.MalformedResponse, string.Create(
                CultureInfo.InvariantCulture, $"{service.Name}:{operation.Name}: the response has status {answer.Status}, which no complete response has"));
        }
        return AnswerOrigin.Fault(service, answer) is { } fault
            ? throw new CollectionException(Codes.MalformedResponse, $"{service.Name}:{operation.Name}: the response cannot be read: {fault}")
            : answer;
    }

    private async Task<AwsAnswer> AskedAsync(
        ServiceModel service, OperationModel operation, JsonObject parameters, string region, ObjectsOfTrail? objects, CancellationToken cancellationToken)
    {
        follow();
        var asked = Endpoint(region);
        if (!Partitions.IsRegion(asked))
            throw new CollectionException(Codes.InvalidParameter, $"'{asked}' cannot be a region, which is part of the host name");
        try
        {
            try
            {
                return await Client(service, region, null, objects).CallAsync(operation, parameters, cancellationToken);
            }
            catch (AwsServiceFailure e) when (service.Name == "s3" && BucketRegions.IsElsewhere(e))
            {
                if (await _buckets.FindAsync(e, parameters, asked, head => HeadAsync(service, region, head, cancellationToken)) is not { } elsewhere)
                    throw;
                asked = elsewhere;
                try
                {
                    return await Client(service, region, elsewhere, objects).CallAsync(operation, parameters, cancellationToken);
                }
                catch (Exception missing) when (IsUnrecorded(missing))
                {
                    // The run was recorded by a version that stopped at this error; the replay must report the same.
                    throw e;
                }
            }
        }
        catch (Exception e) when (cancellationToken.IsCancellationRequested && e is not CollectionException)
        {
            throw new OperationCanceledException("the call was cancelled", e, cancellationToken);
        }
        catch (Exception e) when (AwsFailures.IsKnown(e))
        {
            throw AwsFailures.Map(
                $"{service.Name}:{operation.Name}", e, asked == homeRegion ? null : (asked, homeRegion),
                code => AwsSource.Describe(service, operation).SaysNone(code));
        }
    }

    /// <summary>
    /// Yields every page of a response in its typed JSON form. A caller that reads many pages awaits <see cref="ReadyAsync"/> before each.
    /// </summary>
    /// <exception cref="CollectionException">
    /// There is no response, with the provider's or the collector's code, or a page token repeats.
    /// </exception>
    public async IAsyncEnumerable<AnswerPage> PagesAsync(
        ServiceModel service, OperationModel operation, IEnumerable<KeyValuePair<string, JsonElement>> parameters, string region,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var next = ParameterCheck.Checked(service, operation, parameters);
        var encodes = Customisations.EncodesKeys(service.Name, operation.Name) && !next.ContainsKey("EncodingType");
        var tokens = operation.Pager is { } pager ? new PageTokens(service, operation, pager) : null;
        if (operation.Pager?.Inputs.FirstOrDefault(next.ContainsKey) is { } own)
        {
            throw new CollectionException(
                Codes.InvalidParameter, $"{service.Name}:{operation.Name}: {own} is set by AuditCli, which reads every page");
        }
        next = Customisations.Asked(service, operation, next);
        var empty = new EmptyPages($"{service.Name}:{operation.Name}", transport.IsReplay ? null : clock);
        while (next is not null)
        {
            AwsAnswer answer;
            try
            {
                answer = await CallAsync(service, operation, next, region, cancellationToken);
            }
            catch (CollectionException e) when (empty.Of(e) is var told && told != e)
            {
                throw told;
            }
            var page = Customisations.Answered(TypedJson.Read(service, operation, answer), encodes);
            if (service.Name == "s3" && operation.Name == "ListBuckets")
                _buckets.Learn(page);
            CollectionException? fault = null;
            try
            {
                next = tokens?.Next(next, page);
                if (next is not null)
                    empty.Add(AnswerRows.IsEmpty(operation, page));
            }
            catch (CollectionException e)
            {
                // Yield the page before the failure: its rows are evidence although its page token is not valid.
                fault = e;
            }
            yield return new(page, IsLast: next is null);
            if (fault is not null)
                throw fault;
        }
    }

    /// <inheritdoc/>
    public IEnumerable<string> UnusualEndpoints => _accounts.Values.SelectMany(a => a.UnusualEndpoints)
        .Concat(_clients.Values.Where(c => c.IsValueCreated).Select(c => c.Value.OwnEndpoint).OfType<Uri>()
            .Where(e => !ProviderHosts.IsProvider(e)).Select(e => e.Origin()));

    public void Dispose()
    {
        foreach (var entered in _accounts.Values)
            entered.Dispose();
        foreach (var client in _clients.Values.Where(c => c.IsValueCreated))
            client.Value.Dispose();
    }

    private RequestPace? Pace(string operation, string region) =>
        !transport.IsReplay && AwsQuotas.Interval(operation) is { } interval ? _paces.GetOrAdd((operation, region), _ => new(interval, clock)) : null;

    private AwsServiceClient Client(ServiceModel service, string region, string? bucketRegion, ObjectsOfTrail? objects) => _clients.GetOrAdd(
        (service.Name, region, bucketRegion, objects),
        _ => new(() =>
        {
            var scope = Scope(service, region, objects);
            var check = new RequestCheck(service);
            return new(
                service, credentials, Config(service, scope, region, bucketRegion),
                objects is null ? transport.Open(scope, check.Refusal, check.Places, follow()) : transport.Open(scope, objects.Refusal, route: follow()),
                transport.Waits(clock), RenewAsync, name => Pace(name, region));
        })).Value;

    /// <summary>
    /// Drops credentials that were refused as expired, unless another call has renewed them meanwhile. Fixed credentials are kept and
    /// refused again.
    /// </summary>
    private async Task RenewAsync(string keyId)
    {
        if (credentials is RefreshingAWSCredentials renewable && (await renewable.GetCredentialsAsync()).AccessKey == keyId)
            renewable.ClearCredentials();
    }

    // A replay sends to the recorded host whatever it was, so that it needs no knowledge of endpoints.
    private AwsServiceConfig Config(ServiceModel service, ExchangeScope scope, string region, string? bucketRegion)
    {
        var own = Endpoint(region);
        var recorded = transport.RecordedOrigin(scope);
        if (recorded is not null && bucketRegion is not null)
            recorded = InRegion(recorded, own, bucketRegion);
        return new(service, bucketRegion ?? own, profile, recorded, transport.IsReplay);
    }

    /// <summary>Returns the region header of a HEAD request for the bucket; S3 sends it whether access is granted or denied.</summary>
    private async Task<string?> HeadAsync(ServiceModel service, string region, JsonObject parameters, CancellationToken cancellationToken)
    {
        if (service.Operation("HeadBucket") is not { } head)
            return null;
        try
        {
            var answer = await Client(service, region, null, null).CallAsync(head, parameters, cancellationToken);
            return answer.Headers.GetValueOrDefault("x-amz-bucket-region");
        }
        catch (AwsServiceFailure e)
        {
            return e.BucketRegion;
        }
        catch (Exception e) when (IsUnrecorded(e))
        {
            // The recording was made by a version without this request.
            return null;
        }
    }

    private static bool IsUnrecorded(Exception e) => AwsFailures.IsKnown(e) && AwsFailures.Map("", e).Code == Codes.NoRecording;

    private static Uri InRegion(Uri endpoint, string from, string to) =>
        new UriBuilder(endpoint) { Host = string.Join('.', endpoint.Host.Split('.').Select(label => label == from ? to : label)) }.Uri;

    private string Endpoint(string region) => region == GlobalRegion ? homeRegion : region;

    // Trail objects are recorded in a separate file: it is large, and the rest can be handed over without it.
    private ExchangeScope Scope(ServiceModel service, string region, ObjectsOfTrail? objects) =>
        new(target, objects is null ? service.Name : $"{service.Name}.trail-files", account is null ? region : $"{account}.{region}")
        {
            HasVouchedFiles = objects is not null,
        };
}

/// <summary>One page of a response.</summary>
/// <param name="IsLast">Whether the page says that no page follows.</param>
internal readonly record struct AnswerPage(JsonElement Content, bool IsLast);

/// <summary>Recognises Amazon's own hosts.</summary>
internal static class ProviderHosts
{
    private static readonly string[] Suffixes =
    [
        ".amazonaws.com", ".api.aws", ".amazonaws.com.cn", ".api.amazonwebservices.com.cn", ".amazonaws.eu", ".api.amazonwebservices.eu",
        ".c2s.ic.gov", ".api.aws.ic.gov", ".sc2s.sgov.gov", ".api.aws.scloud", ".cloud.adc-e.uk", ".api.cloud-aws.adc-e.uk",
        ".csp.hci.ic.gov", ".api.aws.hci.ic.gov",
    ];

    /// <summary>Whether the endpoint is the provider's, over https.</summary>
    public static bool IsProvider(Uri endpoint) =>
        endpoint.Scheme == Uri.UriSchemeHttps && endpoint.IsDefaultPort
        && Suffixes.Any(s => endpoint.Host.EndsWith(s, StringComparison.OrdinalIgnoreCase));
}
