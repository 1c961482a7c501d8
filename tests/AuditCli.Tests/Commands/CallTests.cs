using System.Text.Json;

namespace AuditCli.Tests.Commands;

/// <summary>Tests <c>call aws</c>, and what all forms of <c>call</c> share: they print a complete answer or none.</summary>
public sealed class CallTests
{
    [Fact]
    public async Task A_denied_call_prints_nothing_on_stdout_and_the_providers_own_words_on_stderr()
    {
        using var folder = new TemporaryFolder();
        using var server = new IamServer(
            users: 1500, TimeSpan.Zero, (action, nth) => action == "ListUsers" && nth == 2 ? ServerFault.Denied : ServerFault.None);
        var result = await CallAsync(folder, server, "iam:ListUsers");
        Assert.Equal((3, ""), (result.ExitCode, result.Output));
        Assert.Contains(
            "AccessDenied: User: arn:aws:iam::111122223333:user/auditor is not authorized to perform: iam:ListUsers",
            result.Error,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_page_is_in_the_answer()
    {
        using var folder = new TemporaryFolder();
        using var server = new IamServer(users: 2500, TimeSpan.Zero);
        var result = await CallAsync(folder, server, "iam:ListUsers");
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Equal(2500, JsonDocument.Parse(result.Output).RootElement.GetProperty("Users").GetArrayLength());
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    [Theory]
    [InlineData("iam:ListUser", "iam:ListUsers")]
    [InlineData("iam:DeleteUser", "not in the read-only catalogue")]
    [InlineData("secretsmanager:GetSecretValue", "secret")]
    public async Task What_is_not_in_the_catalogue_is_not_sent(string operation, string hint)
    {
        using var folder = new TemporaryFolder();
        using var server = new IamServer(users: 1, TimeSpan.Zero);
        var result = await CallAsync(folder, server, operation, "UserName=alice");
        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Contains(hint, result.Error, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(0, server.Answered);
    }

    [Theory]
    [InlineData("UserNam=alice", "takes no parameter UserNam")]
    [InlineData("alice", "not name=value")]
    [InlineData("MaxItems=many", "MaxItems is not JSON")]
    [InlineData("MaxItems=[1]", "InvalidParameter: iam:ListMFADevices")]
    public async Task A_parameter_that_the_operation_does_not_take_is_a_usage_error(string parameter, string hint)
    {
        using var folder = new TemporaryFolder();
        using var server = new IamServer(users: 1, TimeSpan.Zero);
        var result = await CallAsync(folder, server, "iam:ListMFADevices", parameter);
        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Contains(hint, result.Error, StringComparison.Ordinal);
        Assert.Equal(0, server.Answered);
    }

    [Fact]
    public async Task An_engagement_that_replays_is_not_asked_live()
    {
        using var folder = new TemporaryFolder();
        using var server = new IamServer(users: 1, TimeSpan.Zero);
        var result = await CallAsync(folder, server, "iam:ListUsers", "--engagement", Repository.Path("samples", "engagement.yaml"), "--target", "prod");
        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Contains("replays recorded exchanges, but call sends a live request", result.Error, StringComparison.Ordinal);
        Assert.Equal(0, server.Answered);
    }

    [Theory]
    [InlineData(
        "half of a surrogate pair",
        "{\"Keys\":[{\"KeyId\":\"a\\ud83dz\"},{\"KeyId\":\"\\u00fc\\ud83d\\ude00\"}],\"Truncated\":false}",
        0,
        "\"a\\ud83dz\"")]
    [InlineData(
        "a byte that is no UTF-8",
        "{\"Keys\":[{\"KeyId\":\"caf\u00e9\"}],\"Truncated\":false}",
        3,
        "NotUnicode: kms:ListKeys: the response contains text that is not well-formed Unicode")]
    [InlineData(
        "half of a surrogate pair in a name",
        "{\"Keys\":[{\"a\\ud83dz\":\"b\",\"KeyId\":\"c\"}],\"Truncated\":false}",
        3,
        "MalformedResponse: kms:ListKeys: the response cannot be read")]
    [InlineData("two members of one name", "{\"Keys\":[],\"Keys\":[{\"KeyId\":\"a\"}],\"Truncated\":false}", 3, "MalformedResponse")]
    public async Task Text_that_is_no_Unicode_is_printed_as_the_escape_that_came_or_named(string what, string body, int exit, string says)
    {
        using var folder = new TemporaryFolder();
        using var listener = new System.Net.HttpListener();
        var url = $"http://127.0.0.1:{Loopback.FreePort()}/";
        listener.Prefixes.Add(url);
        listener.Start();
        var answering = Task.Run(async () =>
        {
            var context = await listener.GetContextAsync();
            await context.Response.OutputStream.WriteAsync(System.Text.Encoding.Latin1.GetBytes(body));
            context.Response.Close();
        });
        var result = await AuditCommand.ProcessAsync(folder.Path, AwsEnvironment.At(url.TrimEnd('/')), [], ["call", "aws", "kms:ListKeys"]);
        await answering;
        Assert.True(result.ExitCode == exit, $"{what}: {result}");
        Assert.Contains(says, exit == 0 ? result.Output : result.Error, StringComparison.Ordinal);
    }

    private static Task<CommandResult> CallAsync(TemporaryFolder folder, IamServer server, string operation, params string[] parameters) =>
        AuditCommand.ProcessAsync(folder.Path, AwsEnvironment.At(server.Url), [], ["call", "aws", operation, .. parameters]);
}
