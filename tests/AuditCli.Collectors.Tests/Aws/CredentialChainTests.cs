using AuditCli.Collectors.Tests.Exchanges;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Aws;

/// <summary>Sets the variables that lead the SDK to credentials, and restores them after the test.</summary>
internal sealed class Surroundings : IDisposable
{
    public const string Secret = "MARKERproofOfIdentityMARKERproofOfIdentity";
    private readonly Dictionary<string, string?> _before = [];
    private readonly TemporaryFolder _folder = new();

    /// <param name="way">A way of the SDK's credential chain; anything else gives no credentials.</param>
    public Surroundings(string way, Uri server)
    {
        foreach (var name in new[] { "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN" })
            Set(name, null);
        Set("HOME", _folder.Path);
        File.WriteAllText(Session.Profiles, """
            [profile portal]
            region = us-east-1
            sso_session = company
            sso_account_id = 123456789012
            sso_role_name = AuditReadOnly
            [sso-session company]
            sso_region = us-east-1
            sso_start_url = https://company.example/start
            sso_registration_scopes = sso:account:access
            [profile base]
            region = us-east-1
            aws_access_key_id = AKIAIOSFODNN7EXAMPLE
            aws_secret_access_key = MARKERproofOfIdentityMARKERproofOfIdentity
            [profile last]
            region = us-east-1
            role_arn = arn:aws:iam::123456789012:role/Audit
            source_profile = base
            external_id = engagement-7
            [profile broken]
            region = us-east-1
            role_arn = arn:aws:iam::123456789012:role/Audit
            source_profile = nowhere
            """);
        switch (way)
        {
            case "web identity":
                Set("AWS_WEB_IDENTITY_TOKEN_FILE", _folder.Write("token", Secret));
                Set("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/Audit");
                break;
            case "container":
                Set("AWS_CONTAINER_CREDENTIALS_FULL_URI", new Uri(server, "container").AbsoluteUri);
                Set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", _folder.Write("token", Secret));
                break;
            case "a login" or "a login that expired" or "a login that can be renewed":
                var expires = way == "a login" ? "2036-01-01T00:00:00Z" : "2020-01-01T00:00:00Z";
                var renewal = way == "a login that can be renewed"
                    ? $$""","clientId":"c","clientSecret":"{{Secret}}","registrationExpiresAt":"2036-01-01T00:00:00Z","refreshToken":"{{Secret}}" """
                    : "";
                _folder.Write(
                    $".aws/sso/cache/{SessionFile}.json",
                    $$"""{"startUrl":"https://company.example/start","region":"us-east-1","accessToken":"{{Secret}}","expiresAt":"{{expires}}"{{renewal}}}""");
                break;
        }
    }

    /// <summary>Puts a pipe in the place of a file that the SDK opens, and returns its path.</summary>
    public string Pipe(string place, TemporaryFolder folder)
    {
        var pipe = Path.Combine(folder.Path, "pipe");
        switch (place)
        {
            case "credentials":
                Set("AWS_SHARED_CREDENTIALS_FILE", pipe);
                break;
            case "config":
                Set("AWS_CONFIG_FILE", pipe);
                break;
            case "config beside the credentials":
                pipe = Path.Combine(folder.Path, "config");
                Set("AWS_SHARED_CREDENTIALS_FILE", folder.Write("credentials", ""));
                Set("AWS_CONFIG_FILE", null);
                break;
            case "web identity":
                Set("AWS_WEB_IDENTITY_TOKEN_FILE", pipe);
                Set("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/Audit");
                break;
            case "container":
                Set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/");
                Set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", pipe);
                break;
            case "sso login":
                Directory.CreateDirectory(Path.Combine(_folder.Path, ".aws", "sso", "cache"));
                pipe = Path.Combine(_folder.Path, ".aws", "sso", "cache", $"{SessionFile}.json");
                break;
            case "login":
                Set("AWS_LOGIN_CACHE_DIRECTORY", folder.Path);
                pipe = Path.Combine(folder.Path, "0123.json");
                break;
            default:
                // The SDK keeps the name of the configuration that it found first.
                File.AppendAllText(Session.Profiles, $"""

                    [profile token]
                    role_arn = arn:aws:iam::123456789012:role/Audit
                    web_identity_token_file = {pipe}
                    [profile after]
                    role_arn = arn:aws:iam::123456789012:role/Audit
                    source_profile = token
                    """);
                break;
        }
        PosixFiles.MakePipe(pipe);
        return pipe;
    }

    /// <summary>The name of the cached login of the session "company", the SHA-1 of the session's name.</summary>
    private static string SessionFile => "71b21161ffa1e6516bcc072aaf5ef38cbe85b511";

    public void Dispose()
    {
        foreach (var (name, value) in _before)
            Environment.SetEnvironmentVariable(name, value);
        File.WriteAllText(Session.Profiles, "");
        _folder.Dispose();
    }

    private void Set(string name, string? value)
    {
        _before[name] = Environment.GetEnvironmentVariable(name);
        Environment.SetEnvironmentVariable(name, value);
    }
}

[Collection("environment")]
public sealed class CredentialChainTests
{
    private const string Users = "<ListUsersResponse><ListUsersResult><IsTruncated>false</IsTruncated><Users><member>"
        + "<UserName>a</UserName></member></Users></ListUsersResult></ListUsersResponse>";

    [Theory]
    [InlineData("nothing", null, "NoCredentials", "target prod", "set AWS_PROFILE")]
    [InlineData("web identity", null, "InvalidIdentityToken", "target prod", "AWS_WEB_IDENTITY_TOKEN_FILE")]
    [InlineData("container", null, "NoCredentials", "target prod", "AWS_CONTAINER_CREDENTIALS_FULL_URI")]
    [InlineData("no login", "portal", "NoCredentials", "the AWS profile portal", "aws sso login --profile portal")]
    [InlineData("a login that expired", "portal", "NoCredentials", "the AWS profile portal", "aws sso login --profile portal")]
    [InlineData("a login", "portal", "NoCredentials", "the AWS profile portal", "aws sso login --profile portal")]
    [InlineData("a chain", "last", "AccessDenied", "the AWS profile last", "aws sts get-caller-identity --profile last")]
    [InlineData("a chain", "broken", "NoCredentials", "the AWS profile broken", "aws sts get-caller-identity --profile broken")]
    [InlineData("a chain", "nobody", "NoCredentials", "no AWS profile named nobody", "aws configure list-profiles")]
    public async Task Credentials_that_cannot_be_had_name_target_and_profile_and_the_next_step(
        string way, string? profile, string code, string named, string next)
    {
        await using var server = new LoopbackServer((request, _) =>
            request.Body.Contains("AssumeRoleWithWebIdentity", StringComparison.Ordinal) ? Reaction.Xml(Refusal("InvalidIdentityToken"), 400)
            : request.Body.Contains("AssumeRole", StringComparison.Ordinal) ? Reaction.Xml(Refusal("AccessDenied"), 403)
            : Reaction.Json("""{"message":"no"}""", 403));
        await using var session = Session.Live(server.Address, new ImpatientClock());
        using var surroundings = new Surroundings(way, server.Address);
        var target = profile is null ? Session.Target() : Session.Target(("profile", profile));

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.Collector.ConnectAsync(target, CancellationToken.None));

        Assert.True(
            e.Code == code && e.Message.Contains(named, StringComparison.Ordinal) && e.Message.Contains(next, StringComparison.Ordinal),
            $"{e.Code}: {e.Message}");
        Assert.DoesNotContain("MARKER", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(server.Seen, r => r.Body.Contains("GetCallerIdentity", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("credentials", null)]
    [InlineData("config", null)]
    [InlineData("config beside the credentials", null)]
    [InlineData("web identity", null)]
    [InlineData("container", null)]
    [InlineData("sso login", "portal")]
    [InlineData("login", null)]
    [InlineData("profile's token", "token")]
    [InlineData("source's token", "after")]
    public async Task A_pipe_in_the_place_of_a_file_of_the_sdk_is_refused_at_once(string place, string? profile)
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Json("{}", 500));
        await using var session = Session.Live(server.Address, new ImpatientClock());
        using var surroundings = new Surroundings("profiles", server.Address);
        using var folder = new TemporaryFolder();
        var pipe = surroundings.Pipe(place, folder);

        var e = await Assert.ThrowsAsync<CollectionException>(
            () => session.Collector.ConnectAsync(profile is null ? Session.Target() : Session.Target(("profile", profile)), CancellationToken.None)
                .WaitAsync(TimeSpan.FromMinutes(1)));

        Assert.True(
            e.Code == "NoCredentials" && e.Message.StartsWith("target prod: the ", StringComparison.Ordinal)
                && e.Message.EndsWith($" {pipe} is a pipe, socket or device, not a regular file; copy its content to a file", StringComparison.Ordinal),
            $"{e.Code}: {e.Message}");
        Assert.Empty(server.Seen);
    }

    [Fact]
    public async Task The_default_profile_of_the_aws_command_line_counts_and_before_the_other_variable()
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Xml(
            "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/a</Arn><UserId>A</UserId>"
            + "<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"));
        await using var session = Session.Live(server.Address, new ImpatientClock());
        using var surroundings = new Surroundings("profiles", server.Address);
        var before = Environment.GetEnvironmentVariable("AWS_PROFILE");
        try
        {
            Environment.SetEnvironmentVariable("AWS_PROFILE", "broken");
            Environment.SetEnvironmentVariable("AWS_DEFAULT_PROFILE", "base");
            await using var collector = new Collectors.Aws.AwsCollector(session.Transport, TimeProvider.System, _ => { });

            Assert.Single(await collector.ConnectAsync(Session.Target(), CancellationToken.None));

            Assert.Contains("Credential=AKIAIOSFODNN7EXAMPLE/", Assert.Single(server.Seen).Fields["Authorization"], StringComparison.Ordinal);
        }
        finally
        {
            Environment.SetEnvironmentVariable("AWS_PROFILE", before);
            Environment.SetEnvironmentVariable("AWS_DEFAULT_PROFILE", null);
        }
    }

    [Fact]
    public async Task A_role_that_may_not_be_assumed_names_itself_and_never_its_external_id()
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Xml(Refusal("AccessDenied"), 403));
        await using var session = Session.Live(server.Address, new ImpatientClock());
        var target = Session.Target(("role_arn", "arn:aws:iam::123456789012:role/Audit"), ("external_id", "MARKERexternal"));

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.Collector.ConnectAsync(target, CancellationToken.None));

        Assert.Equal("AccessDenied", e.Code);
        Assert.Contains("target prod: assuming arn:aws:iam::123456789012:role/Audit", e.Message, StringComparison.Ordinal);
        Assert.Contains("trust policy", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("MARKER", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("web identity", null)]
    [InlineData("container", null)]
    [InlineData("a login", "portal")]
    [InlineData("a login that can be renewed", "portal")]
    [InlineData("a chain", "last")]
    public async Task What_expires_between_two_pages_is_had_again_and_nothing_of_it_is_kept(string way, string? profile)
    {
        var handed = 0;
        await using var server = new LoopbackServer((request, _) =>
        {
            if (request.Target == "/token")
                return Reaction.Json(
                    $$"""{"accessToken":"{{Surroundings.Secret}}","tokenType":"Bearer","expiresIn":28800,"refreshToken":"{{Surroundings.Secret}}"}""");
            if (request.Target.StartsWith("/federation", StringComparison.Ordinal))
                return Reaction.Json(
                    $$"""{"roleCredentials":{"accessKeyId":"ASIAROLEKEY{{++handed}}","secretAccessKey":"{{Surroundings.Secret}}","sessionToken":"{{Surroundings.Secret}}","expiration":2082758400000} }""");
            if (request.Target == "/container")
                return Reaction.Json(
                    $$"""{"AccessKeyId":"ASIAROLEKEY{{++handed}}","SecretAccessKey":"{{Surroundings.Secret}}","Token":"{{Surroundings.Secret}}","Expiration":"2036-01-01T00:00:00Z"}""");
            if (request.Body.Contains("Action=AssumeRole", StringComparison.Ordinal))
                return Reaction.Xml(Assumed(
                    request.Body.Contains("WithWebIdentity", StringComparison.Ordinal) ? "AssumeRoleWithWebIdentity" : "AssumeRole",
                    $"ASIAROLEKEY{++handed}"));
            if (!request.Body.Contains("Marker", StringComparison.Ordinal))
                return Reaction.Xml(Users.Replace("false</IsTruncated>", "true</IsTruncated><Marker>next</Marker>", StringComparison.Ordinal));
            return request.Fields["Authorization"].Contains("ASIAROLEKEY2/", StringComparison.Ordinal)
                ? Reaction.Xml(Users)
                : Reaction.Xml(Refusal("ExpiredToken"), 403);
        });
        await using var session = Session.Live(server.Address, new ImpatientClock());
        using var surroundings = new Surroundings(way, server.Address);
        var target = profile is null ? Session.Target() : Session.Target(("profile", profile));

        var answer = await session.Collector.CallAsync(target, "iam:ListUsers", Session.Parameters(), null, CancellationToken.None);

        Assert.Equal(2, answer.GetProperty("Users").GetArrayLength());
        Assert.Equal(2, handed);
        if (way == "a login that can be renewed")
            Assert.Contains(session.CredentialExchanges, c => c.Operation == "sso-oidc:token");
        if (profile == "last")
            Assert.All(server.Seen.Where(r => r.Body.Contains("AssumeRole", StringComparison.Ordinal)), r =>
                Assert.Contains("ExternalId=engagement-7", r.Body, StringComparison.Ordinal));
        await session.Transport.DisposeAsync();
        Assert.DoesNotContain("MARKER", MotoTests.Stored(session.Folder), StringComparison.Ordinal);
        Assert.DoesNotContain("MARKER", string.Join('\n', session.CredentialExchanges), StringComparison.Ordinal);
    }

    private static string Refusal(string code) => $"<ErrorResponse><Error><Code>{code}</Code><Message>refused</Message></Error></ErrorResponse>";

    private static string Assumed(string action, string key) => $"""
        <{action}Response><{action}Result><Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>{Surroundings.Secret}</SecretAccessKey><SessionToken>{Surroundings.Secret}</SessionToken>
        <Expiration>2036-01-01T00:00:00Z</Expiration></Credentials></{action}Result></{action}Response>
        """;
}
