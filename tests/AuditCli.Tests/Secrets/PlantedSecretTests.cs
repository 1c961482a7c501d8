using System.Buffers;
using System.Net;
using System.Text;
using System.Text.Json;

namespace AuditCli.Tests.Secrets;

/// <summary>
/// Runs against a server that returns secrets wherever a provider can. None may be written anywhere, and the tests must still find their
/// exceptions.
/// </summary>
public sealed class PlantedSecretTests : IDisposable
{
    private const string Control = """
        schema: 1
        id: APD-AWS-900
        version: 1.0.0
        title: Functions, templates and events are what they should be
        objective: No function runs on an old runtime, no template lets machines show their role, and nobody works as root.
        risk: Tests that secrets in answers are replaced without hiding what a control looks at.
        domain: access-to-programs-and-data
        nature: { type: preventive, execution: automated }
        frequency: continuous
        kind: operating-effectiveness
        mode: point-in-time
        key_control: false
        owner: Tests
        references:
          soc2-tsc: [CC6.1]
        evidence:
          functions: { aws: lambda:ListFunctions }
          templates: { aws: ec2:DescribeLaunchTemplateVersions, params: { Versions: [$Latest] } }
          events: { aws: cloudtrail:LookupEvents, params: { LookupAttributes: [{ AttributeKey: EventName, AttributeValue: RunTask }] } }
        completeness:
          - name: every function has a name
            sql: SELECT count(*) FROM functions
            equals: SELECT count(FunctionName) FROM functions
        tests:
          - id: T1
            attribute: A
            severity: medium
            title: No old runtime
            sql: |
              SELECT FunctionName AS item, Runtime <> 'python3.8' AS pass, 'old runtime' AS reason FROM functions
          - id: T2
            attribute: B
            severity: medium
            title: Machines ask for their role with a token
            sql: |
              SELECT LaunchTemplateId AS item, LaunchTemplateData->>'$.MetadataOptions.HttpTokens' = 'required' AS pass, 'version 1' AS reason FROM templates
          - id: T3
            attribute: C
            severity: medium
            title: Nobody works as root
            sql: |
              SELECT EventId AS item, CAST(CloudTrailEvent AS JSON)->>'$.userIdentity.type' <> 'Root' AS pass, 'by root' AS reason FROM events
        recommendation: None.
        """;

    private static readonly int Kinds = PlantedSecrets.Of("aB3dE5fG").Count();

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Secrets_of_every_kind_in_twelve_places_are_nowhere_and_the_findings_are_the_same()
    {
        var secrets = new Account(planted: true);
        var (found, everything) = await RunAsync("secret", secrets);
        var (expected, _) = await RunAsync("quiet", new Account(planted: false));
        Assert.Equal(expected, found);
        Assert.Equal(3 * Kinds, found.Count(f => f.Contains("deviation", StringComparison.Ordinal)));

        Assert.True(Kinds >= 70, "kinds were lost");
        Assert.Equal(12 * Kinds, secrets.Planted.Count);
        Assert.Equal(12 * Kinds, secrets.Planted.Select(p => p.Secret).Distinct().Count());
        AssertHoldsNone(secrets, everything);
        Assert.Contains("hmac-sha256:", everything, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_run_that_is_stopped_half_way_leaves_holds_no_secret_of_an_answer_or_of_its_endpoint()
    {
        using var server = new Account(planted: true, held: "LookupEvents");
        var folder = Prepare("stopped");
        var endpoint = new UriBuilder(server.Url) { UserName = "auditor", Password = "MARKERpassword", Query = "token=MARKERtoken" };
        var environment = AwsEnvironment.At(endpoint.Uri.AbsoluteUri);
        using var process = AuditCommand.Start(folder, environment, [], "run", "engagement.yaml", "--out", "out", "-v");
        var output = process.StandardOutput.ReadToEndAsync();
        var error = new StringBuilder();
        var collected = 0;
        while (collected < 2 && await process.StandardError.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(1)) is { } line)
        {
            error.AppendLine(line);
            collected += line.Contains("Complete", StringComparison.Ordinal) ? 1 : 0;
        }
        Signal.Send(process, Signal.Interrupt);
        error.Append(await process.StandardError.ReadToEndAsync());
        await AuditCommand.EndAsync(process);
        Assert.True(process.ExitCode == 130, $"{process.ExitCode} {error}");
        // The unsealed bundle, and beside it what the run needs to go on.
        Assert.Equal([".begun", ".partial"], Directory.GetDirectories(Path.Combine(folder, "out")).Select(Path.GetExtension).Order(StringComparer.Ordinal));
        var everything = await output + error + await CredentialTests.EverythingAsync(Path.Combine(folder, "out"));
        // Checks that responses with every kind of place were received, so that there was something to leak.
        Assert.Contains("DescribeLaunchTemplateVersionsResponse", everything, StringComparison.Ordinal);
        Assert.Contains("base64-", everything, StringComparison.Ordinal);
        AssertHoldsNone(server, everything);
        Assert.DoesNotContain("MARKER", everything, StringComparison.Ordinal);
    }

    private static void AssertHoldsNone(Account account, string everything)
    {
        // Searches for all variants at once, because there are thousands of them and the text is long.
        var variants = account.Planted.SelectMany(p => Variants(p.Text, p.Secret).Select(v => (p.Kind, Text: v))).DistinctBy(v => v.Text).ToArray();
        var found = everything.AsSpan().IndexOfAny(SearchValues.Create([.. variants.Select(v => v.Text)], StringComparison.Ordinal));
        if (found < 0)
            return;
        var written = variants.Where(v => everything.Contains(v.Text, StringComparison.Ordinal)).Select(v => $"{v.Kind}: {v.Text} was written");
        Assert.Fail(string.Join('\n', written.Take(20)));
    }

    /// <summary>Writes the control and its engagement into a folder.</summary>
    private string Prepare(string name)
    {
        _folder.Write($"{name}/library/access-to-programs-and-data/APD-AWS-900.yaml", Control);
        _folder.Write($"{name}/engagement.yaml", AwsEnvironment.Engagement("APD-AWS-900") + "\nlibrary: library\n");
        return Path.Combine(_folder.Path, name);
    }

    /// <summary>Runs the control, and returns the verdict of every item and all that the run wrote and printed.</summary>
    private async Task<(string[] Verdicts, string Everything)> RunAsync(string name, Account account)
    {
        using var server = account;
        var folder = Prepare(name);
        var environment = AwsEnvironment.At(server.Url);
        environment["TMPDIR"] = Directory.CreateDirectory(Path.Combine(folder, "tmp")).FullName;
        var run = await AuditCommand.ProcessAsync(folder, environment, [], "run", "engagement.yaml", "--out", "out", "-v");
        Assert.True(run.ExitCode == 2, run.ToString());
        var bundle = AuditCommand.TheBundle(Path.Combine(folder, "out"));
        var again = await AuditCommand.ProcessAsync(folder, environment, [], "reperform", bundle, "--allow-unsigned");
        Assert.True(again.ExitCode == 0, again.ToString());
        var verdicts = Directory.GetFiles(Path.Combine(bundle, "data", "results"), "*.t?.ndjson").Order(StringComparer.Ordinal)
            .SelectMany(f => File.ReadLines(f).Select(l => JsonElement.Parse(l))
                .Select(r => $"{Path.GetFileName(f)} {r.GetProperty("item")} {r.GetProperty("verdict")}"));
        return ([.. verdicts], run.ToString() + again + await CredentialTests.EverythingAsync(folder));
    }

    /// <summary>Returns the forms in which a secret could have been written.</summary>
    private static IEnumerable<string> Variants(string text, string secret) =>
    [
        secret, text, Uri.EscapeDataString(text), JsonSerializer.Serialize(text)[1..^1], JsonSerializer.Serialize(JsonSerializer.Serialize(text))[3..^3],
        // Base64 of the secret at each of the three offsets in a longer text.
        .. Enumerable.Range(0, 3).Select(o => Convert.ToBase64String(Encoding.UTF8.GetBytes(new string('x', o) + secret))[(o == 0 ? 0 : 4)..^4]),
    ];

    /// <summary>A loopback AWS account that returns a secret in every place that holds text.</summary>
    private sealed class Account : IDisposable
    {
        private readonly HttpListener _listener = new();
        private readonly Task _serving;
        private readonly Dictionary<string, string> _answers;
        private readonly string[] _fields = [];
        private readonly string? _held;

        /// <param name="planted">Whether the places hold secrets or harmless texts.</param>
        /// <param name="held">An operation that is never answered.</param>
        public Account(bool planted, string? held = null)
        {
            _held = held;
            var (description, environment, base64, percent, xml, inside) = (Place('a'), Place('b'), Place('c'), Place('d'), Place('e'), Place('f'));
            var (argument, probe, annotation, webhook, request, field) = (Place('g'), Place('h'), Place('i'), Place('j'), Place('m'), Place('n'));
            _fields = [.. field.Select(f => f.Text.Replace('\n', ' '))];
            var versions = string.Concat(xml.Select((x, i) =>
                $"<item><launchTemplateId>lt-{i:d2}</launchTemplateId>"
                + $"<versionDescription>{WebUtility.HtmlEncode(x.Text)}</versionDescription>"
                + "<launchTemplateData><metadataOptions><httpTokens>optional</httpTokens></metadataOptions>"
                + $"<userData>{Convert.ToBase64String(Encoding.UTF8.GetBytes(x.Text))}</userData></launchTemplateData></item>"));
            _answers = new()
            {
                ["GetCallerIdentity"] =
                    "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/auditor</Arn>"
                    + "<UserId>AIDAEXAMPLE</UserId><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>",
                ["functions"] = JsonSerializer.Serialize(new
                {
                    Functions = description.SelectMany((d, i) => new object[]
                    {
                        new
                        {
                            FunctionName = $"said-{i:d2}",
                            Runtime = "python3.8",
                            Description = $"see {d.Text}",
                            Environment = new { Variables = new { URL = environment[i].Text } },
                        },
                        // Members that the model does not know: places of other services, as in a response of AWS Config.
                        new
                        {
                            FunctionName = $"other-{i:d2}",
                            Runtime = "python3.13",
                            Args = new[] { "--port", "8080", argument[i].Text },
                            HttpHeaders = new[] { new { name = "X-Probe", value = probe[i].Text } },
                            Annotations = new Dictionary<string, string> { ["example.com/note"] = annotation[i].Text },
                            ClientConfig = new { Url = $"https://hook.example/in?x={webhook[i].Text}" },
                        },
                        new
                        {
                            FunctionName = $"base64-{i:d2}",
                            Runtime = "python3.13",
                            Description = Convert.ToBase64String(Encoding.UTF8.GetBytes(base64[i].Text + "\n")),
                        },
                        new { FunctionName = $"percent-{i:d2}", Runtime = "python3.13", Description = Uri.EscapeDataString($"note: {percent[i].Text}") },
                    }),
                }),
                ["DescribeLaunchTemplateVersions"] =
                    "<DescribeLaunchTemplateVersionsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">"
                    + $"<launchTemplateVersionSet>{versions}</launchTemplateVersionSet></DescribeLaunchTemplateVersionsResponse>",
                ["CloudTrail_20131101.LookupEvents"] = JsonSerializer.Serialize(new
                {
                    Events = inside.Select((x, i) => new
                    {
                        EventId = $"event-{i:d2}",
                        EventName = "RunTask",
                        CloudTrailEvent = JsonSerializer.Serialize(new
                        {
                            userIdentity = new { type = "Root" },
                            requestParameters = new
                            {
                                overrides = new { containerOverrides = new[] { new { environment = new[] { new { name = "A", value = x.Text } } } } },
                                secretString = request[i].Text,
                                note = x.Text,
                            },
                        }),
                    }),
                }),
            };
            Url = $"http://127.0.0.1:{Loopback.FreePort()}";
            _listener.Prefixes.Add(Url + "/");
            _listener.Start();
            _serving = Task.Run(ServeAsync);

            (string Kind, string Text, string Secret)[] Place(char place)
            {
                // Every place gets a different secret.
                var texts = Enumerable.Range(0, Kinds).Select(i => PlantedSecrets.Of($"k{place}{i:d2}Bd5E").ElementAt(i)).ToArray();
                Planted.AddRange(texts);
                return planted ? texts : [.. texts.Select(t => t with { Text = "nothing to hide" })];
            }
        }

        public string Url { get; }
        public List<(string Kind, string Text, string Secret)> Planted { get; } = [];

        public void Dispose()
        {
            _listener.Abort();
            _serving.Wait(TimeSpan.FromSeconds(10));
        }

        private async Task ServeAsync()
        {
            try
            {
                while (true)
                {
                    var context = await _listener.GetContextAsync();
                    using var reader = new StreamReader(context.Request.InputStream);
                    var asked = await reader.ReadToEndAsync();
                    var operation = context.Request.Headers["X-Amz-Target"]?.Split('.') is [.., var service, var name] ? $"{service}.{name}"
                        : context.Request.Url!.AbsolutePath.Contains("functions", StringComparison.Ordinal) ? "functions"
                        : asked.Split('&').Single(p => p.StartsWith("Action=", StringComparison.Ordinal))["Action=".Length..];
                    if (_held is { } held && operation.Contains(held, StringComparison.Ordinal))
                        continue;
                    var key = operation.Contains("LookupEvents", StringComparison.Ordinal) ? "CloudTrail_20131101.LookupEvents" : operation;
                    var answer = Encoding.UTF8.GetBytes(_answers[key]);
                    for (var i = 0; i < _fields.Length; i++)
                        context.Response.Headers[$"X-Note-{i}"] = _fields[i];
                    context.Response.ContentType = answer[0] == '<' ? "text/xml" : "application/json";
                    context.Response.Close(answer, willBlock: true);
                }
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                // The listener was stopped.
            }
        }
    }
}
