var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddMetrics();

var app = builder.Build();
app.UseProblemAnswers();
app.UseAccess();
app.MapDefaultEndpoints();
app.MapMetrics();
return app.RunService();
