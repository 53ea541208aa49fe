var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddQuery();

var app = builder.Build();
app.UseProblemAnswers();
app.MapDefaultEndpoints();
app.MapQuery();
app.Run();
